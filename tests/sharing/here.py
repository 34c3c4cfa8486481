"""The reader without its child processes: what they do, done here."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from baygrid.sharing.tables import Tables


class Here(Tables):
    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return json.loads(json.dumps(function(self._bench, *arguments)))

    def _soon(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return self._call(function, *arguments)

    def _stream(self, function: Callable[..., Any], *arguments: Any) -> Iterator[Any]:
        yield from function(self._bench, *arguments)
