"""Whose turn it is: priority class first, then fair share level by level, then deadline, time of submission
and id.

A tournament that looks only at branches that come first: every branch is a heap of its children by standing.
The head of a child is asked for when its standing is the lowest, so a plan touches few of many users.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heapify, heappop, heapreplace
from typing import Any, TypeAlias

from baygrid.core.placement.policy import Policy
from baygrid.core.placement.queue.backlog import Backlog, Key, Kind, Leaf, Line
from baygrid.core.placement.queue.share import Path, Shares, turn_key, weight

_Child: TypeAlias = "_Branch | _Lines"
_NO_KEY: Key = (0, 0, "")


class Turns:
    """The order of one plan. Only lines of a kind in `kinds` take part; kinds may be taken out of it while
    the order is being walked. `charge` says what the last one is to count as having had; `charged` has what
    this plan gave so far by path."""

    def __init__(
        self, backlog: Backlog, shares: Shares, policy: Policy, kinds: set[Kind], charged: dict[Path, float]
    ) -> None:
        self._backlog = backlog
        self._shares = shares
        self._policy = policy
        self._kinds = kinds
        self._charged = charged
        self._classes = sorted(backlog.classes, reverse=True)
        self._branch: _Branch | None = None

    def next(self) -> tuple[str, Line] | None:
        """The job whose turn it is, and its line; None: nobody is left. The same until `charge`."""
        while self._kinds:
            if self._branch is None:
                if not self._classes:
                    return None
                self._branch = self._root(self._classes.pop(0))
            if self._branch.head() is not None:
                return self._branch.first()
            self._branch = None
        return None

    def charge(self, amount: float) -> None:
        """The job at its turn counts for `amount` (as `Shares.weighed`) from now on; the next turn comes."""
        assert self._branch is not None
        leaf = self._branch.first()[1].leaf
        for depth in range(1, len(leaf.path) + 1):
            path = leaf.path[:depth]
            self._charged[path] = self._charged.get(path, 0.0) + amount
        self._branch.charge(amount)

    def drop(self) -> None:
        """The whole line of the job at its turn takes no part."""
        assert self._branch is not None
        self._branch.drop()

    def _root(self, priority: int) -> _Branch:
        return _Branch(self, self._backlog.classes[priority], ())

    def below(self, path: Path, has: Mapping[str, Any] | Leaf) -> _Child:
        """A child of the tree: another branch, or a user's lines."""
        if isinstance(has, Leaf):
            return _Lines(self._backlog, has, self._kinds)
        return _Branch(self, has, path)

    def standing(self, path: Path) -> tuple[float, int]:
        """Weighed usage with what this plan has given so far, and the weight."""
        return self._shares.weighed(path) + self._charged.get(path, 0.0), weight(self._policy, path)


class _Branch:
    """The children of a node of the tree. An entry of the heap: standing, whether the head is known, the
    head, the name and the child."""

    __slots__ = ("_children", "_heap", "_order", "_path", "usage", "weight")

    def __init__(self, order: Turns, children: Mapping[str, Any], path: Path) -> None:
        self._order = order
        self._path = path
        self._children: Mapping[str, Any] | None = children
        self._heap: list[tuple[float, int, Key, str, _Child]] = []
        self.usage = 0.0
        self.weight = 1

    def _open(self, children: Mapping[str, Any]) -> None:
        for name, has in children.items():
            path = (*self._path, name)
            child = self._order.below(path, has)
            child.usage, child.weight = self._order.standing(path)
            self._heap.append((turn_key(child.usage, child.weight), 0, _NO_KEY, name, child))
        heapify(self._heap)
        self._children = None

    def head(self) -> Key | None:
        """Of the job whose turn it is in this branch."""
        if self._children is not None:
            self._open(self._children)
        heap = self._heap
        while heap:
            standing, known, key, name, child = heap[0]
            actual = child.head()
            if actual is None:
                heappop(heap)
            elif known and actual == key:
                return key
            else:
                heapreplace(heap, (standing, 1, actual, name, child))
        return None

    def first(self) -> tuple[str, Line]:
        """That job, after `head` found one."""
        return self._heap[0][4].first()

    def drop(self) -> None:
        self._heap[0][4].drop()

    def charge(self, amount: float) -> None:
        _, _, _, name, child = self._heap[0]
        child.usage += amount
        child.charge(amount)
        heapreplace(self._heap, (turn_key(child.usage, child.weight), 0, _NO_KEY, name, child))


class _Lines:
    """One leaf's lines by their heads."""

    __slots__ = ("_backlog", "_heap", "_kinds", "_leaf", "usage", "weight")

    def __init__(self, backlog: Backlog, leaf: Leaf, kinds: set[Kind]) -> None:
        self._backlog = backlog
        self._leaf = leaf
        self._kinds = kinds
        self._heap: list[tuple[Key, Line, Iterator[Key] | None]] | None = None
        self.usage = 0.0
        self.weight = 1

    def _gather(self) -> list[tuple[Key, Line, Iterator[Key] | None]]:
        lines, kinds = self._leaf.lines, self._kinds
        found: list[tuple[Key, Line, Iterator[Key] | None]]
        if len(kinds) < len(lines):
            found = [(lines[kind].heap[0], lines[kind], None) for kind in kinds if kind in lines]
        else:
            found = [(line.heap[0], line, None) for kind, line in lines.items() if kind in kinds]
        heapify(found)
        return found

    def head(self) -> Key | None:
        if self._heap is None:
            self._heap = self._gather()
        heap, kinds = self._heap, self._kinds
        while heap:
            if heap[0][1].kind in kinds:
                return heap[0][0]
            heappop(heap)
        return None

    def first(self) -> tuple[str, Line]:
        assert self._heap is not None
        key, line, _ = self._heap[0]
        return key[2], line

    def drop(self) -> None:
        assert self._heap is not None
        heappop(self._heap)

    def charge(self, amount: float) -> None:
        assert self._heap is not None
        _, line, walk = self._heap[0]
        if walk is None and len(line.heap) > 1:
            walk = self._backlog.walk(line)
            next(walk)
        key = next(walk, None) if walk is not None else None
        if key is None:
            heappop(self._heap)
        else:
            heapreplace(self._heap, (key, line, walk))
