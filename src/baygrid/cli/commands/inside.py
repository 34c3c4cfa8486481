"""Commands that reach into a running job: run something beside it, or connect to a port of it."""

import os
import socket
import sys
import threading
from contextlib import suppress
from typing import Annotated, Any

import typer

from baygrid.cli import completing
from baygrid.cli.errors import CliError
from baygrid.cli.session import Session, command
from baygrid.cli.tunnel import Tunnel
from baygrid.ports.tunnels import DATA, END, ERROR, EXIT, SIZE

JobId = Annotated[str, typer.Argument(metavar="JOB", autocompletion=completing.jobs)]
Rank = Annotated[
    int, typer.Option("--rank", metavar="N", min=0, help="On whose node, of a job of several nodes.")
]
_PIECE = 64 * 1024


def register(app: typer.Typer) -> None:
    command(app, "exec")(exec_)
    command(app, "ssh")(ssh)
    command(app, "port-forward")(port_forward)


def exec_(
    session: Session,
    job: JobId,
    words: Annotated[
        list[str], typer.Argument(metavar="-- COMMAND...", help="Behind --, so that its options are its own.")
    ],
    terminal: Annotated[
        bool, typer.Option("--tty", "-t", help="With a terminal, as for a shell or an editor.")
    ] = False,
    rank: Rank = 0,
) -> None:
    """Run a command beside a running job: as its user, in its folder, with its environment. Its exit code is
    the command's."""
    _run(session, job, words, terminal, rank)


def ssh(session: Session, job: JobId, rank: Rank = 0) -> None:
    """Open a shell beside a running job, as `exec --tty` does; without a terminal here it reads commands from
    standard input, to its end. It is no SSH: it goes through the platform."""
    _run(session, job, [], sys.stdin.isatty(), rank)


def _run(session: Session, job: str, words: list[str], terminal: bool, rank: int) -> None:
    body: dict[str, Any] = {"command": words, "terminal": terminal, "rank": rank}
    if not (terminal and sys.stdin.isatty()):
        tunnel = _begun(session, job, body)
        raise typer.Exit(_shown(tunnel))
    from baygrid.cli import terminal as screen

    rows, columns = screen.size()
    term = os.environ.get("TERM", "xterm")
    tunnel = _begun(session, job, body | {"rows": rows, "columns": columns, "term": term})
    with screen.raw(lambda: tunnel.send(SIZE, b"%d %d" % screen.size())):
        code = _shown(tunnel)
    raise typer.Exit(code)


def _begun(session: Session, job: str, body: dict[str, Any]) -> Tunnel:
    tunnel = Tunnel(session.client, job, body)
    threading.Thread(target=_typed, args=(tunnel,), daemon=True).start()
    return tunnel


def _typed(tunnel: Tunnel) -> None:
    """Standard input, to its end."""
    with suppress(OSError):
        while data := os.read(0, _PIECE):
            tunnel.send(DATA, data)
    tunnel.send(END)


def _shown(tunnel: Tunnel) -> int:
    """What it says, and its exit code."""
    code = None
    for kind, data in tunnel.received():
        if kind == EXIT:
            code = int(data)
        elif kind in (DATA, ERROR):
            stream = (sys.stderr if kind == ERROR else sys.stdout).buffer
            stream.write(data)
            stream.flush()
    tunnel.close()
    if code is None:
        raise CliError(
            "it ended without a word: the attempt, its agent or the way there has ended", code="lost"
        )
    return code


def port_forward(
    session: Session,
    job: JobId,
    ports: Annotated[
        str, typer.Argument(metavar="PORT[:LOCAL]", help="A port of 127.0.0.1 that the job listens on.")
    ],
    rank: Rank = 0,
) -> None:
    """Make a port of a running job one of this machine, at 127.0.0.1, until Ctrl-C."""
    there, _, here = ports.partition(":")
    if not (
        there.isdigit()
        and 0 < int(there) < 65_536
        and (here or "0").isdigit()
        and int(here or there) < 65_536
    ):
        raise CliError(f"{ports!r} is no port", code="bad-call", cure="write it as 8888 or 8888:9999")
    job = session.client.job(job)["id"]
    try:
        listener = socket.create_server(("127.0.0.1", int(here or there)))
    except OSError as error:
        raise CliError(
            f"127.0.0.1:{here or there}: {error.strerror}",
            code="address-in-use",
            cure="name another port behind :",
        ) from None
    address = f"127.0.0.1:{listener.getsockname()[1]}"
    session.out.json({"address": address}) if session.json else session.out.line(
        f"{address} is port {there} of {job}"
    )
    sys.stdout.flush()
    with listener, suppress(KeyboardInterrupt):
        while True:
            connection, _ = listener.accept()
            threading.Thread(
                target=_forwarded,
                args=(session, job, {"port": int(there), "rank": rank}, connection),
                daemon=True,
            ).start()


def _forwarded(session: Session, job: str, body: dict[str, Any], connection: socket.socket) -> None:
    with connection:
        try:
            tunnel = Tunnel(session.client, job, body)
        except CliError as error:
            session.out.note(str(error))
            return
        threading.Thread(target=_sent, args=(tunnel, connection), daemon=True).start()
        try:
            for kind, data in tunnel.received():
                if kind == DATA:
                    connection.sendall(data)
                elif kind == END:
                    connection.shutdown(socket.SHUT_WR)
        except CliError as error:
            session.out.note(str(error))
        except OSError:  # whoever connected is gone
            pass
        tunnel.close()
        with suppress(OSError):  # closing alone would leave it open while the other thread reads
            connection.shutdown(socket.SHUT_RDWR)


def _sent(tunnel: Tunnel, connection: socket.socket) -> None:
    with suppress(OSError):
        while data := connection.recv(_PIECE):
            tunnel.send(DATA, data)
        tunnel.send(END)
        return
    tunnel.close()
