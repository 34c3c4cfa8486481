"""What the law costs: decisions a second on one core, of documents of facts, each with its trace.

Beside it the same table as a plain chain of ifs, which reads the same facts of the same documents and says
only the outcome: no unknown facts, articles, obligations, trace, or other days. Both must say the same.

And checks of grants a second: everything that is asked for one read (token, contract, dates, the law of the
day), in a transaction of its own, by one thread.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from baygrid.app.grants import may_read
from baygrid.rulebooks.cross_border import decide
from baygrid.rulebooks.cross_border.deciding import plan
from baygrid.store import open_store
from tests import services
from tests.app.data_stage import DataStage

DOCUMENTS, ROUNDS = 2_000, 5
DAY = date(2026, 11, 23)
COUNTS = (0, 1, 5_000, 9_999, 10_000, 99_999, 100_000, 999_999, 1_000_000, 20_000_000)

Document = dict[str, Any]


def measure(postgres: bool = True) -> dict[str, Any]:
    """Decisions a CPU-second, best of some rounds; what the first decision of another day takes; checks of
    grants a second."""
    rng = random.Random(1)
    documents = [_document(rng) for _ in range(DOCUMENTS)]
    for document in documents:
        if decide(document, DAY).outcome != _by_ifs(document):
            raise RuntimeError(f"the table and the ifs differ: {document}")
    partly = [_partly(rng, document) for document in documents]
    plan.cache_clear()
    began = time.process_time()
    decide(documents[0], DAY)
    first = time.process_time() - began
    return {
        "documents": DOCUMENTS,
        "decisions_per_s": _rate(documents, lambda it: decide(it, DAY)),
        "partly_unknown_per_s": _rate(partly, lambda it: decide(it, DAY)),
        "as_json_bytes_per_s": _rate(documents, lambda it: orjson.dumps(decide(it, DAY).to_json())),
        "plain_ifs_per_s": _rate(documents, _by_ifs),
        "first_of_a_day_ms": round(first * 1000, 2),
        "grant_checks_per_s": _checked(postgres),
    }


def _checked(postgres: bool) -> dict[str, int]:
    with tempfile.TemporaryDirectory(prefix="baygrid-bench-") as folder:
        found = {"sqlite": _checks(f"sqlite:///{Path(folder) / 'region.db'}")}
    if postgres:
        with services.postgres(durable=True) as server:
            found["postgresql"] = _checks(server.url(server.create()))
    return found


def _checks(url: str) -> int:
    store = open_store(url)
    stage = DataStage(store)
    stage.shared(stage.table("visits", [f"P{n}" for n in range(1_000)]))
    bearer = stage.bearer()
    best = 0.0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(DOCUMENTS):
            may_read(stage.platform, bearer, "hospital", "hospital", "visits")
        best = max(best, DOCUMENTS / (time.perf_counter() - began))
    store.close()
    return round(best)


def _rate(documents: list[Document], decided: Callable[[Document], object]) -> int:
    best = 0.0
    for _ in range(ROUNDS):
        began = time.process_time()
        for document in documents:
            decided(document)
        best = max(best, len(documents) / (time.process_time() - began))
    return round(best)


def _document(rng: random.Random) -> Document:
    """All facts of a transfer out of the mainland; most pass the rules that few hit."""

    def seldom() -> bool:
        return rng.random() < 0.05

    return {
        "direction": "cn_out",
        "exporter": {
            "jurisdiction": "cn",
            "city": "shenzhen",
            "registered_in_gba9": rng.random() < 0.8,
            "ciio": seldom(),
            "state_organ": seldom(),
            "ftz_zone": "none",
        },
        "recipient": {
            "jurisdiction": "hk",
            "registered_in_hk_or_gba9": rng.random() < 0.8,
            "on_art42_list": seldom(),
            "is_foreign_judicial_or_enforcement": seldom(),
        },
        "data": {
            "pi": rng.random() < 0.9,
            "spi": rng.random() < 0.3,
            "important": rng.choice(["no"] * 9 + ["notified"]),
            "core": seldom(),
            "origin": rng.choice(["domestic", "domestic", "overseas"]),
            "domestic_mixed": rng.random() < 0.5,
            "anonymised": seldom(),
        },
        "ytd_after": {"pi_nonsensitive": rng.choice(COUNTS), "spi": rng.choice(COUNTS)},
        "ground": rng.choice(["other", "other", "other", "contract", "hr", "emergency", "legal_duty"]),
        "sector": "retail",
    }


def _partly(rng: random.Random, document: Document) -> Document:
    """Without a fifth of its facts."""
    return {
        key: {inner: it for inner, it in value.items() if rng.random() < 0.8}
        if isinstance(value, dict)
        else value
        for key, value in document.items()
        if key == "direction" or rng.random() < 0.8
    }


def _by_ifs(document: Document) -> str:
    exporter, recipient = document["exporter"], document["recipient"]
    data, counts, ground = document["data"], document["ytd_after"], document["ground"]
    if data["core"] or recipient["is_foreign_judicial_or_enforcement"] or recipient["on_art42_list"]:
        return "PROHIBITED"
    if data["important"] in ("notified", "published"):
        return "SECURITY_ASSESSMENT"
    if data["anonymised"] or not (data["pi"] or data["spi"]):
        return "FREE"
    if data["origin"] == "overseas" and not data["domestic_mixed"]:
        return "EXEMPT"
    if exporter["state_organ"]:
        return "SECURITY_ASSESSMENT"
    if ground in ("contract", "hr", "emergency"):
        return "EXEMPT"
    if ground == "legal_duty":
        return "CONDITION"
    if exporter["ciio"] or counts["spi"] >= 10_000 or counts["pi_nonsensitive"] >= 1_000_000:
        return "SECURITY_ASSESSMENT"
    if data["spi"] or counts["spi"] >= 1 or counts["pi_nonsensitive"] >= 100_000:
        return "STANDARD_CONTRACT_OR_CERTIFICATION"
    return "EXEMPT"
