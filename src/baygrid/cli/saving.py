"""Where what a command got goes: into the file of --output, else to stdout."""

from pathlib import Path

from baygrid.cli.session import Session


def save(session: Session, data: bytes, output: Path | None, hint: str = "") -> None:
    """`data` to stdout is text, shown without a mark of its byte order. `hint`: what can be done with the
    file, which {} is."""
    if output is None:
        session.out.out.write(data.decode("utf-8-sig"))
        return
    output.write_bytes(data)
    told = f"; {hint.format(output)}" if hint else ""
    session.out.note(f"{output}: {len(data)} bytes{told}")
