"""Whole runs of the images application: what they write, and what is left of damaged inputs."""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from onnx import TensorProto, helper
from PIL import Image

from baygrid.workloads.application import Application, ApplicationError, Done, Shard, Totals
from baygrid.workloads.images import application, cli, contact_sheet, inputs
from baygrid.workloads.images.application import Images
from baygrid.workloads.images.quality import agreement, golden
from baygrid.workloads.storage import reading
from baygrid.workloads.storage.readable import Readable
from tests.workloads.inline import run_here
from tests.workloads.tarring import tar

FILES = {Path(entry.at).name: Path(entry.at) for entry in inputs.photographs()}

pytestmark = pytest.mark.usefixtures("model_cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cat, a cup in a folder of its own, two files that are no pictures, and one that claims none."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    (folder / "cat.jpg").write_bytes(FILES["chelsea.png"].read_bytes())  # a PNG, whatever its name says
    (folder / "more" / "cup.png").write_bytes(FILES["coffee.png"].read_bytes())
    (folder / "broken.jpg").write_bytes(FILES["rocket.jpg"].read_bytes()[:20_000])
    (folder / "letter.png").write_text("Dear picture")
    (folder / "notes.txt").write_text("not asked")
    return folder


def test_the_photographs_once_each(tmp_path: Path):
    totals, _, told = run_here(Images(), tmp_path)
    assert (totals.units, totals.failed) == (15, ())
    labels = {row["path"]: row["label"] for row in pq.read_table(tmp_path / "labels.parquet").to_pylist()}
    assert len(labels) == 15
    assert labels["scikit-image/chelsea.png"] == "Egyptian cat"
    assert labels["scikit-image/coffee.png"] == "espresso"
    assert labels["scikit-image/motorcycle_left.png"] == "moped"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "contact-sheet.png",
        "labels.parquet",
        "result.json",
    ]
    assert (told["units"], told["unit"], told["failed"]) == (15, "images", [])
    assert told["quality"] == {"top1_agreement": 1.0}
    assert set(told["stages"]) == {"read", "decode", "classify", "write"}
    assert told["outputs"] == {
        "labels": str(tmp_path / "labels.parquet"), "sheet": str(tmp_path / "contact-sheet.png")
    }  # fmt: skip


def test_a_broken_picture_is_named_and_the_run_goes_on(folder: Path, tmp_path: Path):
    totals, _, told = run_here(Images(str(folder), count=9), tmp_path / "out")
    table = pq.read_table(tmp_path / "out/labels.parquet")
    assert {field.name: str(field.type) for field in table.schema} == {
        "path": "string",
        "width": "int32",
        "height": "int32",
        "label": "string",
        "score": "float",
        "class_index": "int16",
        "top5": "list<element: struct<label: string, class_index: int16, score: float>>",
    }
    rows = table.to_pylist()
    assert [row["path"] for row in rows] == ["cat.jpg", "more/cup.png"] * 2
    cat, cup = rows[:2]
    assert (cat["label"], cat["class_index"], cat["width"], cat["height"]) == ("Egyptian cat", 285, 451, 300)
    assert cat["score"] == pytest.approx(0.40, abs=0.03)
    assert [guess["label"] for guess in cat["top5"][:2]] == ["Egyptian cat", "tiger cat"]
    assert len(cat["top5"]) == 5
    assert cat["top5"][0]["score"] == cat["score"] > cat["top5"][4]["score"]
    assert cup["label"] == "espresso"
    assert (totals.units, len(totals.failed)) == (4, 5)
    reasons = {failed["input"]: failed["reason"] for failed in told["failed"]}
    assert set(reasons) == {"broken.jpg", "letter.png"}
    assert reasons["broken.jpg"].startswith("damaged: ")
    assert reasons["letter.png"] == "not a picture of a known format"


def test_the_same_pictures_give_the_same_rows_however_they_come(folder: Path, tmp_path: Path):
    inside = {"cat.jpg": (folder / "cat.jpg").read_bytes(), "cup.png": (folder / "more/cup.png").read_bytes()}
    tar(tmp_path / "t.tar", inside)
    run_here(Images(str(folder)), tmp_path / "a")
    run_here(Images(str(tmp_path / "t.tar")), tmp_path / "b")
    rows = [pq.read_table(tmp_path / out / "labels.parquet").drop_columns("path") for out in "ab"]
    assert rows[0] == rows[1]


def test_a_long_tar_that_is_far_away_gives_the_rows_of_one_that_is_here(
    folder: Path, tmp_path: Path, site: str, monkeypatch: pytest.MonkeyPatch
):
    cat, broken = ((folder / name).read_bytes() for name in ("cat.jpg", "broken.jpg"))
    tar(tmp_path / "t.tar", {f"{number}.jpg": broken if number == 3 else cat for number in range(8)})
    run_here(Images(str(tmp_path / "t.tar")), tmp_path / "here")
    monkeypatch.setattr("baygrid.workloads.images.shard.MOST_TOGETHER", 3)
    _, _, told = run_here(Images(f"{site}/t.tar"), tmp_path / "far")
    assert (told["shards"], told["units"], [failed["input"] for failed in told["failed"]]) == (
        3, 7, ["t.tar/3.jpg"],
    )  # fmt: skip
    rows = [pq.read_table(tmp_path / out / "labels.parquet") for out in ("here", "far")]
    assert rows[0] == rows[1]


def test_agreement_is_with_what_should_be():
    assert agreement({"a": 1, "b": 2, "x": 9}, {"a": 1, "b": 3, "c": 4, "d": 5}) == 0.25
    assert agreement({"a": 1}, {}) is None
    assert golden(["scikit-image/chelsea.png", "another.png"]) == {"scikit-image/chelsea.png": 285}


def test_pictures_that_are_alike_have_near_features(tmp_path: Path):
    run_here(Images(tasks=("embed",)), tmp_path)
    table = pq.read_table(tmp_path / "labels.parquet")
    assert str(table.schema.field("embedding").type) == "fixed_size_list<element: float>[1280]"
    assert "label" not in table.schema.names
    rows = {row["path"].rpartition("/")[2]: np.array(row["embedding"]) for row in table.to_pylist()}

    def likeness(one: str, other: str) -> float:
        return float(rows[one] @ rows[other] / np.linalg.norm(rows[one]) / np.linalg.norm(rows[other]))

    assert likeness("motorcycle_left.png", "motorcycle_right.png") > 0.9
    assert likeness("motorcycle_left.png", "chelsea.png") < 0.5


@pytest.fixture
def street(tmp_path: Path) -> Path:
    """A sign and a motorcycle."""
    folder = tmp_path / "street"
    folder.mkdir()
    shutil.copy(Path(__file__).with_name("sign.png"), folder)
    shutil.copy(FILES["motorcycle_left.png"], folder)
    return folder


@pytest.mark.slow
def test_all_tasks_at_once_say_what_each_says_alone(nanodet_file: Path, street: Path, tmp_path: Path):
    every = ("classify", "detect", "read", "embed")
    run_here(Images(str(street), tasks=every), tmp_path / "all")
    together = pq.read_table(tmp_path / "all/labels.parquet")
    assert together.schema.names == [
        "path", "width", "height", "label", "score", "class_index", "top5",
        "objects", "text", "lines", "embedding",
    ]  # fmt: skip
    for task in every:
        run_here(Images(str(street), tasks=(task,)), tmp_path / task)
        alone = pq.read_table(tmp_path / task / "labels.parquet")
        assert alone == together.select(alone.schema.names)
    motorcycle, sign = together.to_pylist()
    (found,) = motorcycle["objects"]
    assert found["label"] == "motorcycle"
    edges = [found[edge] for edge in ("left", "top", "right", "bottom")]
    assert edges == pytest.approx([106, 75, 688, 454], abs=6)
    assert "合作区" in sign["text"]
    assert len(sign["lines"][0]["corners"]) == 8
    with Image.open(tmp_path / "all/contact-sheet.png") as sheet:
        assert sheet.size == contact_sheet.size(2)


def test_a_batch_of_an_accelerator_gives_the_same_rows(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run_here(Images(str(folder)), tmp_path / "a")
    monkeypatch.setattr("baygrid.workloads.models.onnx.Network.batch", property(lambda _: 64))
    run_here(Images(str(folder)), tmp_path / "b")
    one, many = (pq.read_table(tmp_path / out / "labels.parquet").to_pylist() for out in "ab")
    assert [(row["path"], row["label"]) for row in one] == [(row["path"], row["label"]) for row in many]
    assert [row["score"] for row in one] == pytest.approx([row["score"] for row in many], abs=1e-4)


def test_the_contact_sheet_shows_every_distinct_picture_once(folder: Path, tmp_path: Path):
    run_here(Images(str(folder), count=9), tmp_path / "out")
    with Image.open(tmp_path / "out/contact-sheet.png") as sheet:
        sheet.load()
        assert sheet.format == "PNG"
        assert sheet.size == contact_sheet.size(4)
        thumbnail = sheet.crop((20 + 284, 96, 20 + 284 + 264, 96 + 198))
    colours = thumbnail.getcolors(264 * 198)
    assert colours is not None
    assert len(colours) > 1000  # the cat, second by name


@dataclass(frozen=True)
class Turned:
    """The results of a run over `shards`, which counts how many of them are looked at."""

    shards: Sequence[Shard]
    seen: list[str]
    totals = Totals(0, 0, 0, {}, (), 0, 0, 1, "none")

    def __iter__(self) -> Iterator[tuple[Shard, Done]]:
        for shard in self.shards:
            self.seen.append(shard.id)
            names = [name for _, name in json.loads(shard.work)["files"]]
            yield shard, Done(pa.table({"path": names}), len(names))


def test_pictures_that_go_in_turn_are_read_once_for_the_sheet(folder: Path, monkeypatch: pytest.MonkeyPatch):
    opened: list[str] = []

    def counted(at: str) -> Readable:
        opened.append(at)
        return reading.opened(at)

    monkeypatch.setattr("baygrid.workloads.images.shard.opened", counted)
    (folder / "broken.jpg").unlink()
    (folder / "letter.png").unlink()
    results = Turned(list(inputs.shards(str(folder), 3000, 4)), [])
    assert [card.name for card in application.cards(results)] == ["cat.jpg", "more/cup.png"]
    assert len(opened) == 2
    assert len(results.seen) == 1 + application.MOST_WITHOUT_NEW


def test_a_picture_that_changed_since_is_a_card_that_says_so(folder: Path):
    results = Turned(list(inputs.shards(str(folder / "cat.jpg"), None, 4)), [])
    (folder / "cat.jpg").write_text("no cat")
    (card,) = application.cards(results)
    assert (card.picture, card.row) == (None, None)
    assert card.reason == "changed since: not a picture of a known format"


def test_many_pictures_make_rows_of_five():
    assert contact_sheet.size(1) == contact_sheet.size(3) < contact_sheet.size(4)
    assert contact_sheet.size(6)[0] == contact_sheet.size(60)[0]
    assert contact_sheet.size(6)[1] > contact_sheet.size(5)[1]


def asked(*options: str) -> Application:
    parser = argparse.ArgumentParser()
    parser.add_argument("--input")
    cli.add_options(parser)
    return cli.asked(parser.parse_args(options))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--count", "0"], "count is 0"),
        (["--input", "nowhere"], "nowhere is not there"),
        (["--input", "."], r"no picture in \."),
        (["--task", "paint"], "no task 'paint'"),
        (["--task", "classify,classify"], "each task once"),
        (["--model", "nowhere.onnx"], r"nowhere\.onnx is not there"),
    ],
)
def test_what_cannot_start_says_why(
    options: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ApplicationError, match=why):
        run_here(asked(*options), Path("out"))


def test_options_are_those_of_the_application():
    assert repr(asked()) == repr(Images())
    words = "--input x --task embed,classify --count 3 --model m --labels l --detector d"
    assert repr(asked(*words.split())) == repr(
        Images("x", ("embed", "classify"), 3, Path("m"), Path("l"), Path("d"))
    )


def test_an_embedding_needs_a_model_with_features(tmp_path: Path):
    (tmp_path / "m.onnx").write_text("no model")
    with pytest.raises(ApplicationError, match=r"m\.onnx is no model"):
        run_here(Images(tasks=("embed",), model=tmp_path / "m.onnx"), tmp_path / "out")


def test_a_model_without_features_is_refused_before_anything_is_done(tmp_path: Path):
    inside = helper.make_graph(
        [helper.make_node("GlobalAveragePool", ["x"], ["y"]), helper.make_node("Flatten", ["y"], ["z"])],
        "no features",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3, 32, 32])],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, ["batch", 3])],
    )
    model = helper.make_model(inside, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    (tmp_path / "names").write_text("red\ngreen\nblue\n")
    both = Images(tasks=("classify", "embed"), model=tmp_path / "m.onnx", labels=tmp_path / "names")
    with pytest.raises(ApplicationError, match=r"m\.onnx has no second output"):
        both.loading()
    replace(both, tasks=("classify",)).loading()


@pytest.mark.slow
def test_the_command_of_real_workers_ends_with_one_document(folder: Path, tmp_path: Path):
    code = "import sys; from baygrid.workloads import command; from baygrid.workloads.images import cli\n"
    code += "command.program(cli, sys.argv[1:])"
    options = f"--input {folder} --output {tmp_path / 'out'} --json --task classify,embed".split()
    ended = subprocess.run(
        [sys.executable, "-c", code, *options], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["units"], told["unit"], len(told["failed"])) == (2, "images", 2)
    assert [row["label"] for row in pq.read_table(told["outputs"]["labels"]).to_pylist()] == [
        "Egyptian cat", "espresso",
    ]  # fmt: skip
