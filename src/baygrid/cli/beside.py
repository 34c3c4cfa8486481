"""Beside a centre's agent: its folder is found, a rating signed with its key and handed in."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baygrid.cli.errors import CliError
from baygrid.cli.session import Session

if TYPE_CHECKING:
    from baygrid.client.connection import Connection
    from baygrid.core.rating.value import Rating


def handed_in(
    session: Session, rating: "Rating", centre: str | None, partition: str | None, state: Path | None
) -> dict[str, Any]:
    """Signed by the agent's key, which only its own user reads, and brought by its credential; of the
    server's own centre, by whoever is logged in."""
    from baygrid.client.connection import Connection
    from baygrid.ports.wire import to_json
    from baygrid.wiring.joining import kept
    from baygrid.wiring.rating import Beside

    folder = state or _folder(centre)
    try:
        beside = Beside(folder)
    except ValueError as none:
        raise CliError(
            str(none), code="no-agent", cure="say --state, or run this where the agent is"
        ) from none
    joined = kept(folder)
    client = session.client
    if beside.credential is not None:
        server = session.server or os.environ.get("BAYGRID_SERVER") or joined.get("server")
        client = Connection(str(server or session.access.server), beside.credential)
    named = centre or joined.get("centre") or _only(client)
    parts = [part["name"] for part in client.get(f"/v1/centres/{named}")["partitions"]]
    if partition is None and len(parts) != 1:
        known = f"there are {', '.join(parts)}" if parts else "the centre has declared none yet"
        raise CliError(
            "which partition was measured is not said", code="no-partition", cure=f"say --partition; {known}"
        )
    signed = beside.sign(replace(rating, centre=str(named), partition=partition or parts[0]))
    taken: dict[str, Any] = client.post(f"/v1/centres/{named}/ratings", to_json(signed))
    return taken


def _folder(centre: str | None) -> Path:
    """Of a centre's agent here, or of the only one; else of the server's own."""
    home = Path.home() / ".baygrid"
    known = sorted(path.name for path in (home / "agents").glob("*") if path.is_dir())
    if centre is not None and centre in known:
        return home / "agents" / centre
    if centre is None and len(known) > 1:
        raise CliError(
            "which centre's agent is not said",
            code="no-centre",
            cure=f"say --centre; there are {', '.join(known)}",
        )
    return home / "agents" / known[0] if centre is None and known else home / "centre"


def _only(client: "Connection") -> str:
    names = [str(it["name"]) for it in client.items("/v1/centres")]
    if len(names) != 1:
        raise CliError(
            "whose rating this is is not said",
            code="no-centre",
            cure=f"say --centre; there are {', '.join(names)}",
        )
    return names[0]
