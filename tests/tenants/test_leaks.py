"""What one tenant has and does changes nothing of what another sees, and its names are nowhere in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from tests.tenants.asking import NOTED, Ask, askers, asks, cookie, sweep, told
from tests.tenants.region import Region, canaries

_SUMS = "what the whole region has room for, and what keeps work waiting, nobody's apart"
_PLACE = "one's place in the region's one line, and how long that is; not who stands in it"
SHARED = {
    "/metrics": "counts of the whole server",
    "/v1/listings": "the market: what of a listing is left to buy",
    "/v1/audit/chain": "one chain for all: others' links are hashes, without which nobody could recompute it",
    "/v1/audit/end": "the end of that chain",
    "/v1/bottlenecks": _SUMS,
    "/v1/charts/{chart}.svg": _SUMS,
    "/v1/charts/{chart}.csv": _SUMS,
    "/v1/charts/{chart}.json": _SUMS,
    "/portal/observatory": _SUMS,
    "/portal/": _SUMS,
    "/portal/queue": _PLACE,
    "/portal/jobs/{waiting}": _PLACE,
    "/v1/jobs/{waiting}/explain": _PLACE,
    "/portal/offers": _SUMS,
}
"""Addresses whose answers do depend on what others do, and why that is no secret."""
ABSENT = {
    **dict.fromkeys(("project", "organisation", "out", "dataset", "share", "recipient"), "nothing"),
    **dict.fromkeys(("pool", "link", "result", "user"), "nothing"),
    "sha256": "0" * 64,
    "application": "application-nothing",
    "voucher": "vch-nothing",
    "number": "2026-10-9999",
    **dict.fromkeys(("job", "waiting"), "job-nothing"),
    "array": "array-nothing",
    "contract": "contract-nothing",
}


class Case:
    """Amber's people ask for everything before zircon comes, then again."""

    def __init__(self, region: Region, few: tuple[str, ...]) -> None:
        self.region = region
        self.amber = region.settle("amber", "4410.10")
        everybody = askers(region, self.amber)
        self.who = {who: everybody[who] for who in few or everybody}
        self.before = {(who, ask): told(it) for who, ask, it in sweep(region, self.who, self.amber.things)}
        rows = region.dump()
        self.zircon = region.settle("zircon", "7319.42")
        found = canaries(rows, region.dump())
        own = {it for it in found if re.search("zircon", it, re.I) or re.fullmatch(r"[\w.-]{16,}", it)}
        self.canaries = {"zircon", "7319.42", "7,319.42", "731942", *own} - self._chained()
        self.all = not few
        self.rows = region.dump()
        self.after = {(who, ask): told(it) for who, ask, it in sweep(region, self.who, self.amber.things)}

    def _chained(self) -> set[str]:
        """The hashes of the audit's links: see SHARED."""
        chain = self.region.client.get("/v1/audit/chain?limit=500", headers=self.region.headers("operator"))
        return {link[part] for link in chain.json()["items"] for part in ("hash", "digest") if part in link}

    def leaks(self, text: str, asked: str) -> list[str]:
        """Canaries in a text but for those that were asked for by name."""
        plain = text.lower()
        return [it for it in self.canaries if it.lower() in plain and it.lower() not in asked.lower()]


FEW = ("nobody", "recipient", "admin (browser)")


@pytest.fixture(scope="module", params=["few", pytest.param("all", marks=pytest.mark.campaign)])
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    region = Region(tmp_path_factory.mktemp("tenants"))
    yield Case(region, FEW if request.param == "few" else ())
    region.close()


def test_what_others_do_changes_nothing_that_one_reads(case: Case):
    changed = {
        f"{who}: {ask.method} {ask.url(case.amber.things)}: {differ(case.before[who, ask], text)}"
        for (who, ask), text in case.after.items()
        if text != case.before[who, ask] and ask.address not in SHARED
    }
    assert not changed, "\n".join(sorted(changed))


def test_nothing_of_others_is_in_what_one_reads(case: Case):
    found = [
        f"{who}: {ask.url(case.amber.things)}: {leaks}"
        for (who, ask), text in case.after.items()
        if (leaks := case.leaks(text, ""))
    ]
    assert not found, "\n".join(found)


def test_what_others_have_looks_like_what_there_is_not(case: Case):
    wrong = []
    for who, headers in case.who.items():
        for ask in filter(lambda it: it.names, asks(case.region)):
            theirs, none = (
                masked(told(case.region.client.request(ask.method, ask.url(things), headers=headers)), things)
                for things in (case.zircon.things, ABSENT)
            )
            if theirs != none:
                wrong.append(f"{who}: {ask.url(case.zircon.things)}: {differ(theirs, none)}")
    assert not wrong, "\n".join(wrong)


def test_reading_changes_nothing(case: Case):
    """Whoever reads, and whatever: every row of every table is as it was before amber's people read all, and
    those who keep the region do."""
    region = case.region
    keepers = {"operator (browser)": cookie(region.sessions["operator"])}
    if case.all:
        keepers |= {f"{who} (browser)": cookie(region.sessions[who]) for who in ("hub", "far")}
        keepers |= {who: region.headers(who) for who in ("operator", "far")}
    for who, ask, answer in sweep(region, keepers, case.amber.things):
        assert answer.status_code < 500, (who, ask, answer.text)
    after = region.dump()
    assert {name for name, rows in after.items() if rows != case.rows[name]} == set()


def test_reading_evidence_changes_the_audit_alone(case: Case):
    before = case.region.dump()
    answer = case.region.client.get(Ask("GET", NOTED).url(case.amber.things), headers=case.amber.headers())
    assert answer.status_code == 200
    assert not case.leaks(told(answer), "")
    after = case.region.dump()
    assert {name for name, rows in after.items() if rows != before[name]} == {"audit", "audit_end"}


def masked(text: str, things: Mapping[str, str]) -> str:
    """But for what was asked for by name."""
    names = sorted(set(things.values()), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, names)), "it", re.sub(r'"content-length", "\d+"', "", text))


def differ(one: str, other: str) -> str:
    """Where two texts begin to."""
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    return f"...{one[max(0, at - 60) : at + 80]!r} | ...{other[max(0, at - 60) : at + 80]!r}"
