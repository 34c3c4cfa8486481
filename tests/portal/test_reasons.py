"""Why a job goes where, in the reader's language."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import baygrid.core.placement
from baygrid.core.placement.judging.filters import OUTRANKED
from baygrid.portal.language import LANGUAGES
from baygrid.portal.reasons import SAID
from tests.api.world import World, job
from tests.portal.conftest import Visitor, csrf

OUTCOMES = {"placed", "fits-now", "never-fits", "preempted", "withdrawn"}
"""Told by the headline of a table, or as an event."""


def test_every_obstacle_has_words():
    codes = {OUTRANKED}
    for file in Path(baygrid.core.placement.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason":
                first = node.args[0]
                if isinstance(first, ast.Constant):
                    codes.add(str(first.value))
    assert len(codes) > 20
    assert codes - OUTCOMES == set(SAID)


def test_the_priced_table_speaks_the_readers_language(world: World, visitor: Visitor):
    text = "name: x\ntime: 5m\nrun: echo\nresources: {cpus: 1}\n"
    for tag, wanted in {
        "en": "Can start now on far/cpu",
        "zh-Hans": "可立即在 far/cpu 开始",
        "zh-Hant": "可即時在 far/cpu 開始",
        "ja": "far/cpu ですぐに開始でき",
    }.items():
        client = visitor("team", tag)
        typed = {"csrf": csrf(client), "as": "file", "do": "check", "text": text}
        page = client.post("/portal/submit", data=typed).text
        assert re.sub("can start", "Can start", wanted) in page, tag
    assert set(LANGUAGES) == {"en", "zh-Hans", "zh-Hant", "ja"}


def test_what_waits_is_told_in_the_readers_language(world: World, visitor: Visitor):
    client = visitor("team", "ja")
    for name in ("first", "second"):
        document = job(name, infra="far", resources={"cpus": 32, "memory": 4}, nodes=4)
        assert client.post("/v1/jobs", json=document, headers=world.headers("team")).status_code == 201
    world.place()
    waiting = world.store.read(lambda tx: tx.jobs.queued(None, 5))[0]
    page = client.get(f"/portal/jobs/{waiting.id}").text
    assert "必要な 4 ノードのうち 0 ノードが空いています" in page
    assert "待ち行列 1 件中 1 番目" in page
