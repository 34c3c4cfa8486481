"""Everything that can be set from outside."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from baygrid.letter.smtp import Server as MailServer


@dataclass(frozen=True, slots=True)
class MailSettings:
    """`sender`: the address that mails come from."""

    server: MailServer
    sender: str


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """`database` None: SQLite in `data`. `objects` None: a folder in `data`; else a folder or `s3://bucket/prefix`,
    which several servers on one database must share. `embedded`: name of the centre that the server runs
    itself, None for none; `embedded_staging`: a file of what it may fetch. `law_lists`: a file
    of negative and white lists; None: none is loaded. `tables`: a file of where tables may be read; None: at
    hosts on the internet. `webhooks`: a file of where webhooks may go; None: to hosts on the internet.
    `oidc`: a file of providers by which users sign in. `letters`: a folder of published letters; None: none
    are shown.
    `mail`: how mails go out; None: none do. `tls`: files of its certificate, with those that lead to it,
    and of its key. `rate`: requests a second for each token or address; 0: any number."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8470
    database: str | None = None
    objects: str | None = None
    embedded: str | None = "local"
    embedded_jurisdiction: str = "CN-QH"
    embedded_nodes: tuple[str, ...] = ()
    embedded_staging: str = ""
    law_lists: Path | None = None
    tables: Path | None = None
    webhooks: Path | None = None
    oidc: Path | None = None
    letters: Path | None = None
    mail: MailSettings | None = None
    tls: tuple[Path, Path] | None = None
    rate: float = 0

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.data.absolute() / 'baygrid.db'}"

    @property
    def objects_url(self) -> str:
        return self.objects or str(self.data.absolute() / "objects")


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """`token` "": the credential that is kept in `state`. `nodes`: such as "n1:cpus=8,memory=64,H100=8", or
    "partition/n1:..."; none: this machine as one node. `options`: of the driver, as "name=text".
    `account_map`: "project=user", or files of such lines; `run_as`: the user of all other projects; `as_me`:
    jobs may run as the agent's own user. `staging`: a file of what the centre may fetch.
    `measure_every`: seconds between measurements of its link to the exchange, about; 0: never."""

    centre: str
    server: str
    token: str
    state: Path
    driver: str = "local"
    nodes: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    account_map: tuple[str, ...] = ()
    run_as: str = ""
    as_me: bool = False
    staging: str = ""
    measure_every: int = 3600
