"""The shapes of answers about datasets."""

from __future__ import annotations

from pydantic import Field

from baygrid.api.schemas import Shape, Time


class Content(Shape):
    """What a dataset is in law; null: nobody has said."""

    personal: bool | None
    sensitive: bool | None
    important: str = Field(description="no, notified, published or unknown")
    core: bool | None
    origin: str = Field(description="domestic, overseas or unknown: where it was collected")
    mixed: bool | None = Field(description="persons of both origins are in it")
    persons: int | None = Field(description="of how many it tells at most")


class Dataset(Shape):
    """One version. Other organisations do not see where a shared one is, nor what it was made from."""

    project: str
    name: str
    version: int
    ref: str = Field(examples=["dataset:team-a/city-photos@2"])
    jurisdiction: str
    uri: str | None
    sha256: str | None = Field(description="of its content; a folder's of its listing")
    bytes: int | None
    shared: bool
    made_at: Time
    made_by: str | None = Field(description="an attempt, or a token's id")
    job: str | None
    lineage: list[str] = Field(description="the inputs of the job that made it")
    law: Content
