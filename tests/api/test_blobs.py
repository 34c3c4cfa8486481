"""Blobs over HTTP: whole, in parts, and broken off."""

from __future__ import annotations

import hashlib
import os

import httpx2
import pytest
from starlette.testclient import TestClient

from baygrid.api.blobs import PIECE
from tests.api.world import World, job


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("size", [0, 1, 100_000, PIECE, 2 * PIECE + 17])
@pytest.mark.parametrize("announced", [True, False])
def test_whole(world: World, address: str, size: int, announced: bool):
    data = os.urandom(size)
    url = f"/v1/blobs/{sha256(data)}"
    content = data if announced else (data[at : at + 65_536] for at in range(0, size, 65_536))
    with httpx2.Client(base_url=address, headers=world.headers("team"), timeout=30) as team:
        assert team.head(url).headers["upload-offset"] == "0"
        answer = team.put(url, content=content)
        assert (answer.status_code, answer.json()) == (201, {"whole": True, "size": size})
        assert team.head(url).headers["content-length"] == str(size)
        assert team.get(url).content == data
        assert team.put(url, content=data).status_code == 201


def test_in_parts(world: World, api: TestClient):
    data, team = os.urandom(1000), world.headers("team")
    url = f"/v1/blobs/{sha256(data)}"
    for first, last, status in ((0, 399, 202), (200, 599, 202), (600, 999, 201)):
        headers = team | {"Content-Range": f"bytes {first}-{last}/1000"}
        answer = api.put(url, content=data[first : last + 1], headers=headers)
        assert (answer.status_code, answer.headers["upload-offset"]) == (status, str(last + 1))
        if status == 202:
            head = api.head(url, headers=team)
            assert (head.status_code, head.headers["upload-offset"]) == (404, str(last + 1))
    assert api.get(url, headers=team).content == data


def test_an_upload_that_breaks_off_goes_on_where_it_stopped(world: World, address: str):
    data = os.urandom(2 * PIECE)
    url = f"/v1/blobs/{sha256(data)}"

    def broken():
        yield data[: PIECE + 1000]
        raise ConnectionError("the client is gone")

    with httpx2.Client(base_url=address, headers=world.headers("team"), timeout=30) as team:
        with pytest.raises(ConnectionError):
            team.put(url, content=broken(), headers={"Content-Length": str(len(data))})
        offset = 0
        for _ in range(200):
            offset = int(team.head(url).headers["upload-offset"])
            if offset >= PIECE:
                break
        assert offset >= PIECE
        headers = {"Content-Range": f"bytes {offset}-{len(data) - 1}/{len(data)}"}
        assert team.put(url, content=data[offset:], headers=headers).status_code == 201
        assert team.get(url).content == data


def test_a_job_needs_its_workdir_to_be_its_own_projects(world: World, api: TestClient):
    data = b"secret workdir"
    location = f"blob:{sha256(data)}"
    url = f"/v1/blobs/{sha256(data)}"
    assert api.put(url, content=data, headers=world.headers("team")).status_code == 201
    answer = api.post("/v1/jobs", json=job(workdir=location), headers=world.headers("rival"))
    assert (answer.status_code, answer.json()["problems"][0]["path"]) == (422, "workdir")
    assert api.post("/v1/jobs", json=job(workdir=location), headers=world.headers("team")).status_code == 201
