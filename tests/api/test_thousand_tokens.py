"""A thousand recipients' tokens: each reads its own share, and nobody else's."""

from __future__ import annotations

import random
import secrets
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pyarrow as pa
import pytest
from starlette.testclient import TestClient

from tests.api.sharing import Sharing
from tests.api.test_files import asked

PROJECTS, EACH = 50, 20


def query(share: str) -> str:
    return f"/delta-sharing/shares/{share}/schemas/demo/tables/rain/query"


@pytest.mark.slow
def test_a_thousand_tokens_read_their_own_share_only(tmp_path: Path):
    world = Sharing(tmp_path)
    table = world.offer("rain", world.parquet("rain", pa.table({"id": [1, 2, 3]})))
    tokens: list[tuple[str, str]] = []
    for number in range(PROJECTS):
        consumer = world.consumer(f"lab-{number}")
        world.share(table, share=f"share-{number}", consumer=consumer)
        for one in range(EACH):
            profile = world.profile(f"reader-{one}", consumer=consumer)
            tokens.append((profile["bearerToken"], f"share-{number}"))
    assert len({token for token, _ in tokens}) == PROJECTS * EACH
    chance = random.Random(7)
    with TestClient(world.app, base_url="http://test") as http:
        for token, share in tokens:
            headers = {"Authorization": f"Bearer {token}"}
            assert http.get("/delta-sharing/shares", headers=headers).json() == {"items": [{"name": share}]}
            other = chance.choice([it for _, it in tokens if it != share])
            assert http.post(query(other), json={}, headers=headers).status_code == 404
        for _ in range(200):
            guess = f"bgs_{secrets.token_urlsafe(24)}"
            answer = http.get("/delta-sharing/shares", headers={"Authorization": f"Bearer {guess}"})
            assert answer.status_code == 401
    world.close()


def test_an_address_that_was_given_to_one_is_no_key_to_another_s(tmp_path: Path):
    """Whatever of two good addresses is put together."""
    world = Sharing(tmp_path)
    table = world.offer("rain", world.parquet("rain", pa.table({"id": [1, 2, 3]})))
    urls = []
    with TestClient(world.app, base_url="http://test") as http, world.making():
        for name in ("lab-a", "lab-b"):
            consumer = world.consumer(name)
            world.share(table, share=name, consumer=consumer)
            urls.append(
                urlsplit(
                    asked(http, world.profile("anna", consumer=consumer)["bearerToken"], query(name))["url"]
                )
            )
        mine, theirs = ({k: v for k, (v,) in parse_qs(url.query).items()} for url in urls)
        for part in ("grant", "recipient", "sig"):
            mixed = urlencode(mine | {part: theirs[part]})
            for path in (urls[0].path, urls[1].path):
                assert http.get(f"{path}?{mixed}").status_code == 403
        assert http.get(f"{urls[0].path}?{urlencode(mine)}").status_code == 200
    world.close()
