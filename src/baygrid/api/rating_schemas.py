"""The shapes of answers about ratings."""

from __future__ import annotations

from pydantic import Field

from baygrid.api.schemas import Shape, Status, Time, Unit


class RatingGate(Shape):
    passed: bool
    figures: dict[str, float]
    why: str


class CentreRating(Shape):
    """What part of a centre does in an hour. Of a planned one only what is published; no decision rests on
    it, nor on a stale one."""

    id: str
    status: Status
    centre: str
    partition: str | None
    accelerator: str | None
    unit: Unit
    units_per_hour: float
    per_device_hour: float | None = Field(description="for each accelerator, or cpu where there is none")
    profile: str | None = Field(examples=["images@1"], description="only ratings of one profile compare")
    standard: bool = Field(description="by this profile the region compares centres")
    model: str | None
    input: str | None
    flop_per_unit: float | None
    precision: str | None
    units: float | None = Field(description="really done, in `seconds`")
    seconds: float | None
    nodes: int | None
    cpus: int | None
    accelerators: int | None
    memory_mib: int | None
    declared_flops: float | None
    gemm_fp32: float | None = Field(description="FLOP/s of matrix products, measured")
    gemm_fp16: float | None
    utilisation: float | None = Field(description="the model's FLOP/s over those of matrix products")
    input_share: float | None = Field(description="of the CPU seconds: reading, decoding, writing")
    units_per_declared_pflops: float | None = Field(description="units an hour")
    units_per_measured_pflops: float | None
    stages: dict[str, float] = Field(description="CPU seconds")
    gate: RatingGate | None
    software: dict[str, str]
    note: str
    at: Time = Field(description="measured, or published")
    fresh_until: Time | None
    public_key: str | None
    signature: str | None
