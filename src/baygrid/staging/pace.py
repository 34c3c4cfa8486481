"""How slow a server may be: its head in so many seconds, so many bytes in every window, all in its time."""

from __future__ import annotations

from collections.abc import Callable

from baygrid.staging.errors import Broken, Failed
from baygrid.staging.rules import Rules


class Pace:
    """Of one input, over all its connections. `clock`: seconds that only grow."""

    def __init__(self, rules: Rules, clock: Callable[[], float]) -> None:
        self._rules, self._clock = rules, clock
        self._end = clock() + rules.max_s
        self._until = 0.0
        self._need = self._came = 0.0

    def head(self) -> None:
        """A connection, a handshake and a head are due."""
        self._until, self._need = self._clock() + self._rules.head_s, 0.0

    def body(self) -> None:
        """From now on bytes of the content."""
        self._until = self._clock() + self._rules.window_s
        self._need, self._came = self._rules.least_rate * self._rules.window_s, 0.0

    def left(self) -> float:
        """Seconds to wait for more at most. Raises Broken, Failed."""
        self.go_on()
        now = self._clock()
        if now >= self._until:
            if self._came < self._need or not self._need:
                raise Broken("the server is too slow")
            self.body()
        return max(0.001, min(self._end, self._until) - now)

    def go_on(self) -> None:
        """Raises Failed where its time is over."""
        if self._clock() >= self._end:
            raise Failed(f"it took longer than the {self._rules.max_s:.0f} s that this centre gives an input")

    def took(self, count: int) -> None:
        self._came += count
