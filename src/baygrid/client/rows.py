"""The answer to a query: it comes as Arrow, and becomes what the reader works with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import httpx2

from baygrid.client.errors import BaygridError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from baygrid.client.connection import Connection

PATIENCE_S: Final = 1_300.0
"""Longer than a query may take."""
MOST: Final = 10_000_000
"""Rows of one answer, at most."""
_SHOWN: Final = 20


def stream(connection: Connection, query: str, rows: int, project: str | None = None) -> Iterator[bytes]:
    """An Arrow IPC stream of at most `rows` rows, piece by piece."""
    body = {"sql": query, "rows": rows} | ({} if project is None else {"project": project})
    try:
        with connection.stream("/v1/sql", json=body, patience_s=PATIENCE_S) as response:
            yield from response.iter_raw()
    except httpx2.TransportError:
        raise BaygridError(
            "the answer broke off: the query failed on the way, may go on no longer, or the connection broke",
            cure="ask again; what is in the way is told then",
        ) from None


@dataclass(frozen=True, slots=True)
class Rows:
    """`arrow` has the rows; `more`: there are more than these; `withheld`: so many groups are of too few
    persons to be shown (None: the query is not of such tables)."""

    arrow: pa.Table
    more: bool
    withheld: int | None

    @property
    def columns(self) -> list[str]:
        return list(self.arrow.column_names)

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def pandas(self) -> pd.DataFrame:
        """As a DataFrame of pandas, which must be installed."""
        _needs("pandas")
        return self.arrow.to_pandas()

    def polars(self) -> pl.DataFrame:
        """As a DataFrame of Polars, which must be installed."""
        _needs("polars")
        import polars

        frame = polars.from_arrow(self.arrow)
        assert isinstance(frame, polars.DataFrame)  # of a table
        return frame

    def _repr_html_(self) -> str:
        from html import escape

        head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in self.columns)
        shown = zip(*(column.to_pylist() for column in self.arrow.slice(0, _SHOWN).columns), strict=True)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in shown
        )
        count = f"{len(self):,} rows{', and there are more' if self.more else ''}"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{count}</p>"


def gathered(pieces: Iterator[bytes]) -> tuple[Rows, dict[str, Any]]:
    """The whole answer, and what its last batch says of it."""
    try:
        import pyarrow as pa
    except ImportError:
        raise BaygridError(
            "rows come as Arrow, and pyarrow is not installed here", cure="pip install 'baygrid[data]'"
        ) from None
    batches, told = [], {}
    with closing(pa.ipc.open_stream(pa.py_buffer(b"".join(pieces)))) as reader:
        for batch, metadata in reader.iter_batches_with_custom_metadata():
            batches.append(batch)
            if metadata is not None:
                told = json.loads(dict(metadata)[b"baygrid"])
        table = pa.Table.from_batches(batches, reader.schema)
    return Rows(table, bool(told.get("more")), told.get("withheld")), told


def _needs(package: str) -> None:
    from importlib.util import find_spec

    if find_spec(package) is None:
        raise BaygridError(f"{package} is not installed here", cure="pip install 'baygrid[dataframes]'")
