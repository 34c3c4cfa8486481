"""Whole runs: what they write, what they count, and how they end."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from PIL import Image

from baygrid.workloads.images import (
    ImagesError,
    ImagesJob,
    Progress,
    Throughput,
    contact_sheet,
    pictures,
    run,
)
from baygrid.workloads.images.cli import OnceASecond, main, sentence
from baygrid.workloads.images.model import Classifier
from baygrid.workloads.images.pictures import Pixels
from baygrid.workloads.images.pipeline import in_batches, in_order
from baygrid.workloads.images.rows import classify

FILES = {picture.path.name: picture.path for picture in pictures.photographs()}

pytestmark = pytest.mark.usefixtures("cached_model")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cat, a cup in a folder of its own, two files that are no pictures, and one that claims none."""
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    (folder / "cat.png").write_bytes(FILES["chelsea.png"].read_bytes())
    (folder / "more" / "cup.png").write_bytes(FILES["coffee.png"].read_bytes())
    (folder / "broken.jpg").write_bytes(FILES["rocket.jpg"].read_bytes()[:20_000])
    (folder / "letter.png").write_text("Dear picture")
    (folder / "notes.txt").write_text("not asked")
    return folder


def silent(_: Progress) -> None: ...


def test_the_photographs_once_each(tmp_path: Path):
    throughput = run(ImagesJob(tmp_path, workers=2), silent)
    assert (throughput.count, throughput.distinct, throughput.failed) == (15, 15, 0)
    labels = {row["path"]: row["label"] for row in pq.read_table(tmp_path / "labels.parquet").to_pylist()}
    assert len(labels) == 15
    assert labels["scikit-image/chelsea.png"] == "Egyptian cat"
    assert labels["scikit-image/coffee.png"] == "espresso"
    assert labels["scikit-image/motorcycle_left.png"] == "moped"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "contact-sheet.png",
        "labels.parquet",
        "throughput.json",
    ]


def test_a_broken_picture_is_a_row_and_the_run_goes_on(folder: Path, tmp_path: Path):
    throughput = run(ImagesJob(tmp_path / "out", folder=folder, count=9, workers=2), silent)
    table = pq.read_table(tmp_path / "out/labels.parquet")
    assert {field.name: str(field.type) for field in table.schema} == {
        "path": "string",
        "label": "string",
        "score": "float",
        "class_index": "int16",
        "top5": "list<element: struct<label: string, class_index: int16, score: float>>",
        "error": "string",
    }
    rows = table.to_pylist()
    assert [row["path"] for row in rows] == [
        *(["broken.jpg", "cat.png", "letter.png", "more/cup.png"] * 2),
        "broken.jpg",
    ]
    broken, cat, letter, cup = rows[:4]
    assert broken["label"] is broken["score"] is broken["class_index"] is broken["top5"] is None
    assert "ValueError" in broken["error"]
    assert letter["error"] == "not a picture of a known format"
    assert (cat["label"], cat["class_index"], cat["error"]) == ("Egyptian cat", 285, None)
    assert cat["score"] == pytest.approx(0.40, abs=0.02)
    assert [guess["label"] for guess in cat["top5"][:2]] == ["Egyptian cat", "tiger cat"]
    assert len(cat["top5"]) == 5
    assert cat["top5"][0]["score"] == cat["score"] > cat["top5"][4]["score"]
    assert cup["label"] == "espresso"
    assert (throughput.count, throughput.failed, throughput.classified) == (9, 5, 4)
    assert "5 could not be read" in sentence(throughput)


def test_every_repetition_is_decoded_and_inferred_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    counted = {"decoded": 0, "inferred": 0}
    lock = threading.Lock()
    decode, logits = pictures.decode, Classifier.logits

    def counting_decode(data: bytes) -> Pixels:
        with lock:
            counted["decoded"] += 1
        return decode(data)

    def counting_logits(self: Classifier, squares: Sequence[Pixels]) -> NDArray[np.float32]:
        with lock:
            counted["inferred"] += len(squares)
        return logits(self, squares)

    monkeypatch.setattr(pictures, "decode", counting_decode)
    monkeypatch.setattr(Classifier, "logits", counting_logits)
    run(ImagesJob(tmp_path, count=40, workers=2), silent)
    assert counted == {"decoded": 40, "inferred": 40}


def test_batches_of_an_accelerator_give_the_same_rows(folder: Path, classifier: Classifier):
    source = pictures.in_folder(folder)
    alone = [row for picture in source for row in classify([picture], classifier).rows]
    together = classify(source, classifier).rows
    assert [(row.path, row.label, row.error) for row in together] == [
        (row.path, row.label, row.error) for row in alone
    ]


def test_the_throughput_file_says_what_the_rate_is_compared_with(tmp_path: Path):
    throughput = run(ImagesJob(tmp_path, count=3, workers=1), silent)
    written = json.loads((tmp_path / "throughput.json").read_text())
    assert written["images_per_hour"] == pytest.approx(3 / throughput.seconds * 3600, abs=0.1)
    assert written["share_of_centre"] == pytest.approx(written["images_per_hour"] / 1.6e9, rel=1e-3)
    assert written["centre"] == {
        "images_per_hour": 1_600_000_000,
        "pflops": 500,
        "status": "planned, on completion",
    }
    assert (written["workers"], written["batch"], written["failed"]) == (1, 1, 0)
    assert 0 < written["decode_share"] < 1


def test_the_contact_sheet_shows_every_distinct_picture_once(folder: Path, tmp_path: Path):
    run(ImagesJob(tmp_path / "out", folder=folder, count=9, workers=1), silent)
    with Image.open(tmp_path / "out/contact-sheet.png") as sheet:
        sheet.load()
        assert sheet.format == "PNG"
        assert sheet.size == contact_sheet.size(4)
        thumbnail = sheet.crop((20 + 284, 96, 20 + 284 + 264, 96 + 198))
    colours = thumbnail.getcolors(264 * 198)
    assert colours is not None
    assert len(colours) > 1000  # the cat, second by name


def test_many_pictures_make_rows_of_five():
    assert contact_sheet.size(1) == contact_sheet.size(3) < contact_sheet.size(4)
    assert contact_sheet.size(6)[0] == contact_sheet.size(60)[0]
    assert contact_sheet.size(6)[1] > contact_sheet.size(5)[1]


def test_the_command_reports_while_it_runs_and_ends_with_its_rate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["--out", str(tmp_path), "--count", "5", "--workers", "2"]) == 0
    first, *_, result, last = capsys.readouterr().out.splitlines()
    kind, _, progress = first.partition(" ")
    assert kind == "BAYGRID_PROGRESS"
    assert set(json.loads(progress)) == {"done", "total", "rate_per_hour"}
    assert json.loads(progress)["total"] == 5
    kind, _, told = result.partition(" ")
    assert kind == "BAYGRID_RESULT"
    assert json.loads(told) == json.loads((tmp_path / "throughput.json").read_text())
    assert last.startswith(f"{json.loads(told)['images_per_hour']:,.0f} images an hour (5 in ")
    assert last.endswith(
        "of the 1.6 billion images an hour of the 500 PFLOP/s centre (planned, on completion)"
    )


def test_the_command_fails_only_if_no_picture_could_be_read(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["--out", str(tmp_path / "a"), "--input", str(folder)]) == 0
    (folder / "cat.png").unlink()
    (folder / "more/cup.png").unlink()
    assert main(["--out", str(tmp_path / "b"), "--input", str(folder)]) == 1
    assert "2 could not be read" in capsys.readouterr().out
    assert pq.read_table(tmp_path / "b/labels.parquet").column("label").null_count == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--count", "0"], "count is 0"),
        (["--workers", "0"], "workers is 0"),
        (["--input", "nowhere"], "nowhere is not a folder"),
        (["--input", "."], "no picture in ."),
    ],
)
def test_what_cannot_start_says_why(
    arguments: list[str],
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.chdir(tmp_path)
    assert main(["--out", "out", *arguments]) == 2
    assert why in capsys.readouterr().err


def test_a_run_that_breaks_leaves_no_labels(tmp_path: Path):
    def give_up(_: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run(ImagesJob(tmp_path, workers=1), give_up)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_package_is_named():
    code = (
        "import sys; sys.modules['simplejpeg'] = None\n"
        "from baygrid.workloads.images.cli import main\n"
        "assert 'numpy' not in sys.modules\n"
        "sys.exit(main(['--out', 'out']))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "images: the package simplejpeg is missing: install baygrid[images]\n"


def test_progress_is_told_at_once_and_then_once_a_second():
    now = 0.0
    out = StringIO()
    tell = OnceASecond(out, lambda: now)
    for tenth in range(25):
        now = tenth / 10
        tell(Progress(tenth, 25, 36_000.04))
    told = [json.loads(line.removeprefix("BAYGRID_PROGRESS ")) for line in out.getvalue().splitlines()]
    assert [line["done"] for line in told] == [0, 10, 20]
    assert told[0] == {"done": 0, "total": 25, "rate_per_hour": 36_000.0}


def test_work_is_taken_only_as_fast_as_results_are():
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(2) as pool:
        squares = in_order(pool, lambda number: number * number, numbers(), ahead=4)
        assert next(squares) == 0
        assert len(taken) == 5
        assert list(squares) == [number * number for number in range(1, 100)]


def test_the_last_batch_may_be_shorter():
    assert list(in_batches("abcde", 2)) == [("a", "b"), ("c", "d"), ("e",)]


def test_a_job_must_ask_for_something():
    with pytest.raises(ImagesError, match="at least 1 picture"):
        ImagesJob(Path("out"), count=0)


def test_rates_are_of_classified_pictures_only():
    throughput = Throughput("here", 2, 200, 100, 36.0, 1, 1, "CPU", 0.5)
    assert throughput.rate_per_hour == 10_000
    assert throughput.share_of_centre == 10_000 / 1.6e9
    assert sentence(throughput).startswith(
        "10,000 images an hour (100 in 36.0 s, 1 worker on CPU, 100 could not"
    )
