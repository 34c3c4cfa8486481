"""Datasets and URIs as a user meets them: a real server with its embedded centre, which fetches by https from
a real server, from S3 and from its own disk."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.cli.test_end_to_end import BAYGRID, Home
from tests.services import S3_KEYS
from tests.staging.site import Served, authority, serving

pytestmark = pytest.mark.slow

MODEL = b"weights" * 100_000
DIGEST = hashlib.sha256(MODEL).hexdigest()


class Fetching(Home):
    """`rules`: what its embedded centre may fetch."""

    def __init__(self, folder: Path, rules: dict[str, Any]) -> None:
        super().__init__(folder)
        self.environ |= {name.upper(): value for name, value in S3_KEYS.items()}
        (folder / "staging.yaml").write_text(json.dumps(rules))

    def start(self) -> None:
        command = [BAYGRID, "serve", "--port", str(self.port), "--node", "n1:cpus=8,memory=16"]
        command += ["--staging", str(self.folder / "staging.yaml")]
        with (self.folder / "server.log").open("a") as log:
            self.server = subprocess.Popen(
                command, env=self.environ, stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        assert self.server.stdout is not None
        assert f":{self.port}" in self.server.stdout.readline(), (self.folder / "server.log").read_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def world(folder: Path, s3_endpoint: str) -> Iterator[tuple[Fetching, str]]:
    (folder / "ca.pem").write_bytes(authority()[0])
    (folder / "data").mkdir()
    (folder / "data/notes.txt").write_text("notes")
    client = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1", **S3_KEYS)
    client.put_object(Bucket="bay", Key="live/photos/one.txt", Body=b"one")
    client.put_object(Bucket="bay", Key="live/photos/two.txt", Body=b"two")
    client.close()
    with serving(folder) as site:
        site.things["/model.bin"] = Served(MODEL)
        site.things["/meta"] = Served(b"", status=302, location="https://169.254.169.254/latest/meta-data/")
        home = Fetching(
            folder / "home",
            {
                "ca": str(folder / "ca.pem"),
                "networks": [f"127.0.0.1:{site.port}"],
                "folders": [str(folder / "data")],
                "buckets": [{"name": "bay", "endpoint": s3_endpoint, "region": "us-east-1"}],
            },
        )
        home.start()
        yield home, site.uri("", "127.0.0.1")
        home.stop()


def test_from_a_dataset_to_a_dataset(world: tuple[Fetching, str], folder: Path):
    home, web = world
    more = ("--jurisdiction", "CN-QH", "--bytes", "6")
    made = home.ask("datasets", "create", "photos", "--uri", "s3://bay/live/photos/", *more)
    assert (made["ref"], made["uri"]) == ("dataset:default/photos@1", "s3://bay/live/photos/")
    inputs = {
        "photos": "dataset:photos",
        "model": f"{web}/model.bin#sha256={DIGEST}",
        "notes": f"file://{folder}/data/notes.txt",
    }
    command = (
        'cd "$BAYGRID_INPUTS"; cat photos/one.txt photos/two.txt notes/notes.txt; wc -c <model/model.bin\n'
        'touch photos/one.txt 2>/dev/null || echo "read-only"; echo labels >"$BAYGRID_OUTPUTS/labels/all.txt"'
    )
    outputs = {"labels": "dataset:photo-labels"}
    done = home.call("run", home.job("label", command, inputs=inputs, outputs=outputs))
    assert done.stdout.startswith(f"onetwonotes{len(MODEL)}\n")
    assert "output labels: " in done.stderr
    assert "is dataset:photo-labels now" in done.stderr
    (labels,) = home.ask("datasets", "show", "photo-labels")
    assert labels["jurisdiction"] == "CN-QH"
    lineage = [f"{web}/model.bin", f"file://{folder}/data/notes.txt", "dataset:default/photos@1"]
    assert labels["lineage"] == lineage
    attempt = home.ask("jobs", labels["job"])["attempts"][0]
    assert attempt["id"] == labels["made_by"]
    assert attempt["staged_bytes"] == attempt["staging_bytes"] == len(MODEL) + 6 + 5

    # What one job made another takes in, pinned; what is in the cache is not fetched again.
    home.call("datasets", "create", "photo-labels", "--from", "label", "--jurisdiction", "CN-QH")
    inputs = {"labels": "dataset:photo-labels@1", "newest": "dataset:photo-labels", "model": inputs["model"]}
    file = home.job("use", 'cat "$BAYGRID_INPUTS/labels/all.txt"; ls "$BAYGRID_INPUTS/newest"', inputs=inputs)
    assert home.call("run", file).stdout == "labels\njob.yaml\n"
    listed = home.call("datasets").stdout
    assert "dataset:default/photo-labels@2" in listed
    assert "dataset:default/photos@1" in listed
    shown = home.call("datasets", "show", "photo-labels").stdout
    assert "earlier versions: 1" in shown


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("{web}/meta", "leads to an address that is link-local"),
        ("https://127.0.0.1:{home}/healthz", "leads to an address that is loopback"),
        ("{web}/absent", "answered 404"),
        ("{web}/model.bin#sha256=" + "0" * 64, "not " + "0" * 64),
        ("file:///etc/hostname", "reads nothing below /etc"),
        ("s3://other/key", "fetches nothing from bucket other"),
    ],
)
def test_what_may_not_be_had_fails_the_job_before_it_starts(
    world: tuple[Fetching, str], place: str, why: str
):
    home, web = world
    place = place.format(web=web, home=home.port)
    done = home.call("run", home.job("bad", "echo it ran", inputs={"x": place}), code=1)
    assert why in done.stderr
    assert "staging-failed" in done.stderr
    assert "it ran" not in done.stdout


def test_a_file_of_rules_with_a_mistake_ends_the_start(tmp_path: Path):
    (tmp_path / "staging.yaml").write_text("folders: [data]\nfolder: x\n")
    done = subprocess.run(
        [BAYGRID, "serve", "--port", "0", "--data", tmp_path / "d", "--staging", tmp_path / "staging.yaml"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "did you mean 'folders'?" in done.stderr
    assert "folders[0]" in done.stderr
