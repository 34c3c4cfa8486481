"""Folders, tars, tables, buckets, web servers, cut into shards and read back; whatever is wrong is named."""

import json
import os
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from baygrid.workloads.application import ApplicationError, Shard
from baygrid.workloads.images import inputs
from baygrid.workloads.images.shard import Found, Reader
from baygrid.workloads.storage import buckets, reading
from baygrid.workloads.storage.names import words
from baygrid.workloads.storage.readable import Readable
from tests import services
from tests.services import S3_KEYS
from tests.workloads.tarring import tar
from tests.workloads.web import Handler

PNG = b"\x89PNG not really"


def cut(asked: Path | str | None, count: int | None = None, most: int = 256) -> list[Shard]:
    return list(inputs.shards(None if asked is None else str(asked), count, most))


def read(shards: list[Shard]) -> list[Found]:
    return [found for shard in shards for found in Reader(shard.work)]


def names(shards: list[Shard]) -> list[str]:
    return [found.name for found in read(shards)]


def reasons(shards: list[Shard]) -> dict[str, str]:
    return {found.name: found.reason for found in read(shards) if found.data is None}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    for name in ("b.jpg", "a.PNG", "more/c.webp"):
        (folder / name).write_bytes(name.encode())
    (folder / "notes.txt").write_text("not asked")
    return folder


def test_a_folder_is_read_by_name(folder: Path):
    assert read(cut(folder)) == [
        Found("a.PNG", b"a.PNG"), Found("b.jpg", b"b.jpg"), Found("more/c.webp", b"more/c.webp"),
    ]  # fmt: skip


def test_a_file_is_taken_at_its_word(folder: Path):
    assert names(cut(folder / "b.jpg")) == ["b.jpg"]
    assert read(cut(folder / "notes.txt")) == [Found("notes.txt", b"not asked")]


def test_a_file_named_from_where_one_is_needs_no_ending(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder)
    (folder / "photo-1").write_bytes(PNG)
    for asked in ("photo-1", "./photo-1", f"file://{folder}/photo-1", "photo-{1..1}"):
        assert read(cut(asked)) == [Found("photo-1", PNG)]
        assert names(cut(asked, count=2)) == ["photo-1"] * 2


def test_the_name_of_its_folder_makes_no_picture_of_a_file(folder: Path):
    (folder / "pictures").write_text("not asked")
    assert names(cut(folder)) == ["a.PNG", "b.jpg", "more/c.webp"]


@pytest.mark.parametrize("name", ["t.tar", "t.parquet"])
def test_what_holds_pictures_does_not_go_in_turn(folder: Path, name: str):
    (folder / name).write_bytes(PNG)
    for asked in (folder, folder / name):
        with pytest.raises(ApplicationError, match=rf"^{name} holds pictures.* leave out --count"):
            cut(asked, count=3)


def test_an_error_without_words_has_a_kind():
    assert words(OSError()) == "OSError"
    assert words(ValueError("one\ntwo")) == "one"


def test_a_disk_that_says_nothing_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def dumb(_: str) -> Readable:
        raise OSError

    monkeypatch.setattr(reading, "disk", dumb)
    assert reasons(cut(folder / "b.jpg")) == {"b.jpg": "OSError"}


def test_without_an_input_there_are_photographs():
    assert len(names(cut(None))) == 15
    assert all(found.data for found in read(cut(None)))


def test_pictures_go_in_turn_until_there_are_enough(folder: Path):
    assert names(cut(folder, count=7)) == ["a.PNG", "b.jpg", "more/c.webp"] * 2 + ["a.PNG"]
    assert sum(shard.units for shard in cut(folder, count=7)) == 7


def test_shards_are_many_enough_for_all_workers_and_never_large(tmp_path: Path):
    assert [shard.units for shard in cut(None, count=9)] == [4, 4, 1]
    assert {shard.units for shard in cut(None, count=3200)} == {100}
    assert {shard.units for shard in cut(None, count=256 * 64)} == {256}
    ids = [shard.id for shard in cut(None, count=3200)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 32


@pytest.mark.parametrize(("asked", "why"), [("nowhere", "nowhere is not there"), (".", "no picture in")])
def test_no_input_is_an_error(tmp_path: Path, asked: str, why: str):
    with pytest.raises(ApplicationError, match=why):
        cut(tmp_path / asked)


def test_what_is_no_plain_file_is_named_and_holds_nobody_up(folder: Path):
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "gone.jpg").symlink_to("nowhere")
    (folder / "around").symlink_to(folder, target_is_directory=True)
    (folder / "dir.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    shards = cut(folder)
    assert len(names(shards)) == 6
    assert reasons(shards) == {
        "gone.jpg": "No such file or directory",
        "loop.jpg": "Too many levels of symbolic links",
        "pipe.jpg": "not a plain file",
    }


def test_names_cannot_move_a_cursor(folder: Path):
    (folder / "\x1b[2Jx.png").write_bytes(PNG)
    (folder / os.fsdecode(b"\xff.png")).write_bytes(PNG)
    found = read(cut(folder))
    assert {each.name for each in found} >= {
        "\N{REPLACEMENT CHARACTER}[2Jx.png",
        "\N{REPLACEMENT CHARACTER}.png",
    }
    assert all(each.data for each in found)


def test_a_file_that_is_too_large_is_not_read(folder: Path):
    with (folder / "huge.jpg").open("wb") as file:
        file.truncate(1 << 40)
    assert reasons(cut(folder)) == {"huge.jpg": "1,099,511,627,776 bytes are more than 268,435,456"}


def test_a_tar_is_cut_by_its_headers_and_read_in_place(tmp_path: Path):
    inside = {f"{number:02}.jpg": bytes([number]) * 700 for number in range(20)} | {"00.json": b"{}"}
    path = tar(tmp_path / "shard.tar", inside)
    shards = cut(path, most=8)
    assert [shard.units for shard in shards] == [4] * 5
    assert read(shards) == [Found(f"shard.tar/{n:02}.jpg", bytes([n]) * 700) for n in range(20)]


def test_names_in_a_tar_are_names_only(tmp_path: Path):
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "x").mkdir()
    path = tar(tmp_path / "x/evil.tar", {"../secret.jpg": b"inside", "/etc/secret.jpg": b"inside too"})
    before = sorted(tmp_path.rglob("*"))
    assert [found.data for found in read(cut(path))] == [b"inside", b"inside too"]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_tar_cut_in_the_middle_gives_what_it_has(tmp_path: Path):
    path = tar(tmp_path / "a.tar", {"a.jpg": b"a" * 600, "b.jpg": b"b" * 600, "c.jpg": b"c"})
    path.write_bytes(path.read_bytes()[:2300])
    shards = cut(tmp_path)
    assert [found.name for found in read(shards) if found.data] == ["a.tar/a.jpg"]
    assert reasons(shards) == {
        "a.tar/b.jpg": "cut off: 252 of 600 bytes",
        "a.tar": "it ends without its end mark: cut off",
    }


def test_what_is_not_a_tar_or_a_table_is_named_and_the_rest_goes_on(folder: Path):
    (folder / "a.tar").write_bytes(PNG * 100)
    (folder / "b.parquet").write_bytes(PNG)
    (folder / "c.parquet").symlink_to("c.parquet")
    found = reasons(cut(folder))
    assert found["a.tar"] == "not a tar"
    assert found["b.parquet"].startswith("not a Parquet table")
    assert found["c.parquet"] == "Too many levels of symbolic links"
    assert len(names(cut(folder))) == 6


@pytest.mark.parametrize(
    "column",
    [
        pa.array([b"one", None, b"three"]),
        pa.array([b"one", None, b"three"], pa.large_binary()),
        pa.array(
            [{"bytes": b"one", "path": "x"}, {"bytes": None, "path": None}, {"bytes": b"three", "path": None}]
        ),
    ],
    ids=["bytes", "large", "struct"],
)
def test_a_table_has_its_pictures_in_a_column(tmp_path: Path, column: pa.Array):
    table = pa.table({"id": ["1", "2", "3"], "picture": column})
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    shards = cut(tmp_path / "t.parquet")
    assert [shard.units for shard in shards] == [2, 1]
    assert read(shards) == [
        Found("t.parquet#0", b"one"),
        Found("t.parquet#1", None, "no picture in this row"),
        Found("t.parquet#2", b"three"),
    ]


def test_paths_in_a_table_lead_below_its_folder_and_nowhere_else(folder: Path, tmp_path: Path):
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (folder / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    asked = [
        "b.jpg",
        "../secret.jpg",
        str(tmp_path / "secret.jpg"),
        "out.jpg",
        "file:///etc/passwd",
        "gone.jpg",
    ]
    pq.write_table(pa.table({"path": asked}), folder / "t.parquet")
    found = read(cut(folder / "t.parquet"))
    assert found[0] == Found("t.parquet#0", b"b.jpg")
    assert all(each.reason.endswith("does not lie below the table's folder") for each in found[1:5])
    assert found[5].reason == "No such file or directory"


def test_paths_that_no_file_can_have_cost_their_rows_only(folder: Path):
    (folder / "around.jpg").symlink_to("around.jpg")
    asked = ["a\0b.jpg", "around.jpg", "around.jpg/x.jpg", "x" * 5000, "b.jpg"]
    pq.write_table(pa.table({"path": asked}), folder / "t.parquet")
    found = read(cut(folder / "t.parquet"))
    assert found[-1] == Found("t.parquet#4", b"b.jpg")
    assert all(each.reason for each in found[:4])
    assert not any(each.data for each in found[:4])


@pytest.mark.parametrize(
    "path", ["%2e%2e/secret.jpg", "%252E%252E/secret.jpg", "%2Fsecret.jpg", "..%5csecret.jpg"]
)
def test_no_spelling_of_a_path_climbs_out_of_a_table_s_folder(tmp_path: Path, site: str, path: str):
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "in").mkdir()
    pq.write_table(pa.table({"path": [path, "no\x01name.jpg"]}), tmp_path / "in/t.parquet")
    found = read(cut(f"{site}/in/t.parquet"))
    assert found[0].reason.endswith("does not lie below the table's folder")
    assert found[1].data is None


@pytest.mark.parametrize(
    "column",
    [
        pa.array([{"bytes": 5}]),
        pa.array([{"bytes": [1, 2]}]),
        pa.array([{"bytes": "text"}]),
        pa.array([{"bytes": {"bytes": b"x"}}]),
    ],
    ids=["number", "list", "text", "struct"],
)
def test_a_struct_of_something_else_is_no_picture(tmp_path: Path, column: pa.Array):
    pq.write_table(pa.table({"image": column}), tmp_path / "t.parquet")
    assert "no column of pictures" in reasons(cut(tmp_path / "t.parquet"))["t.parquet"]


def test_a_path_that_is_no_text_is_none(tmp_path: Path):
    pq.write_table(
        pa.table(
            {"image": [{"bytes": None, "path": 7}]},
            schema=pa.schema([("image", pa.struct([("bytes", pa.binary()), ("path", pa.int64())]))]),
        ),
        tmp_path / "t.parquet",
    )
    assert reasons(cut(tmp_path / "t.parquet")) == {"t.parquet#0": "no picture in this row"}


def test_a_struct_with_two_fields_of_one_name_costs_its_rows_only(tmp_path: Path):
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string()), ("path", pa.string())])
    column = pa.StructArray.from_arrays([[b"x"], ["a"], ["b"]], fields=list(kind))
    pq.write_table(pa.table({"image": column}), tmp_path / "t.parquet")
    assert reasons(cut(tmp_path / "t.parquet"))["t.parquet"].startswith("damaged: ")


def test_a_table_without_pictures_says_what_was_looked_for(tmp_path: Path):
    pq.write_table(pa.table({"n": [1]}), tmp_path / "t.parquet")
    assert "no column of pictures" in reasons(cut(tmp_path / "t.parquet"))["t.parquet"]


def test_a_damaged_table_loses_its_rows_only(tmp_path: Path):
    rows = [os.urandom(2000) for _ in range(40)]
    pq.write_table(pa.table({"image": rows}), tmp_path / "t.parquet", row_group_size=20, use_dictionary=False)
    data = bytearray((tmp_path / "t.parquet").read_bytes())
    data[4:80] = bytes(76)  # the first page's own header
    (tmp_path / "t.parquet").write_bytes(data)
    found = read(cut(tmp_path / "t.parquet"))
    assert found[0].data is None
    assert found[0].reason.startswith("damaged: ")
    assert [each.data for each in found[1:]] == rows[20:]


def test_pictures_tars_and_tables_of_a_web_server(tmp_path: Path, site: str, folder: Path):
    assert read(cut(f"{site}/pictures/b.jpg")) == [Found("b.jpg", b"b.jpg")]
    for number in range(9, 12):
        tar(tmp_path / f"s-{number:02}.tar", {"a.jpg": b"a", "b.jpg": bytes([number])})
    asked = f"{site}/s-{{09..11}}.tar"
    assert [found.data for found in read(cut(asked))] == [b"a", b"\x09", b"a", b"\x0a", b"a", b"\x0b"]
    pq.write_table(pa.table({"path": ["pictures/b.jpg"], "n": [1]}), tmp_path / "t.parquet")
    assert read(cut(f"{site}/t.parquet")) == [Found("t.parquet#0", b"b.jpg")]
    with pytest.raises(ApplicationError, match="404"):
        cut(f"{site}/gone.jpg")


def test_a_tar_that_is_far_away_is_fetched_in_large_pieces(tmp_path: Path, site: str):
    tar(tmp_path / "far.tar", {f"{number}.jpg": bytes(2000) for number in range(50)})
    assert len(read(cut(f"{site}/far.tar"))) == 50
    assert len(Handler.asked) == 1


@pytest.fixture
def ten_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "MOST_TOGETHER", 10)
    monkeypatch.setattr("baygrid.workloads.images.shard.MOST_TOGETHER", 10)


@pytest.mark.parametrize("layout", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("count", [9, 10, 11, 30, 35])
@pytest.mark.usefixtures("ten_together")
def test_of_a_long_tar_a_shard_holds_so_many_and_leaves_the_rest(
    tmp_path: Path, site: str, count: int, layout: int
):
    inside = {f"{'long' * 40}{number}{end}": b"x" for number in range(count) for end in (".jpg", ".json")}
    tar(tmp_path / "far.tar", inside, layout)
    (shard,) = cut(f"{site}/far.tar")
    found, work = [], shard.work
    while work:
        reader = Reader(work)
        some = [each.name for each in reader]
        assert len(some) <= 10
        found += some
        work = reader.rest.work if reader.rest else ""
    assert found == [f"far.tar/{name}" for name in inside if name.endswith(".jpg")]


@pytest.mark.usefixtures("ten_together")
def test_a_long_row_group_is_cut(tmp_path: Path):
    rows = [b"%d" % number for number in range(47)]
    pq.write_table(pa.table({"image": rows}), tmp_path / "t.parquet", row_group_size=23)
    shards = cut(tmp_path / "t.parquet")
    assert [shard.units for shard in shards] == [10, 10, 3, 10, 10, 3, 1]
    assert read(shards) == [Found(f"t.parquet#{number}", row) for number, row in enumerate(rows)]


def test_a_server_without_ranges_gives_small_files_only(
    tmp_path: Path, site: str, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/a.jpg").write_bytes(PNG)
    tar(tmp_path / "plain/far.tar", {f"{number}.jpg": bytes(2000) for number in range(50)})
    assert read(cut(f"{site}/plain/a.jpg")) == [Found("a.jpg", PNG)]
    monkeypatch.setattr("baygrid.workloads.images.shard.AHEAD", 1 << 14)
    *_, last = read(cut(f"{site}/plain/far.tar"))
    assert last == Found("far.tar", None, "the server sends only whole files: it ignores Range")


@pytest.mark.slow
def test_a_bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import boto3

    home = tmp_path / "s3"
    home.mkdir()
    with services.s3(home) as endpoint:
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": S3_KEYS["aws_access_key_id"],
            "AWS_SECRET_ACCESS_KEY": S3_KEYS["aws_secret_access_key"],
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        buckets.bucket.cache_clear()
        client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", **S3_KEYS)
        inside = {f"{number}.jpg": bytes([number]) * 70_000 for number in range(5)}
        client.put_object(Bucket="bay", Key="set/b.tar", Body=tar(tmp_path / "b.tar", inside).read_bytes())
        client.put_object(Bucket="bay", Key="set/a/c.jpg", Body=PNG)
        pq.write_table(pa.table({"image": [b"one", b"two"]}), tmp_path / "t.parquet")
        client.put_object(Bucket="bay", Key="set/t.parquet", Body=(tmp_path / "t.parquet").read_bytes())
        client.close()
        assert read(cut("s3://bay/set")) == [
            *(Found(f"b.tar/{name}", data) for name, data in inside.items()),
            Found("t.parquet#0", b"one"), Found("t.parquet#1", b"two"), Found("a/c.jpg", PNG),
        ]  # fmt: skip
        assert read(cut("s3://bay/set/a/c.jpg")) == [Found("c.jpg", PNG)]
        with pytest.raises(ApplicationError, match="s3://bay/nowhere"):
            cut("s3://bay/nowhere")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        buckets.bucket.cache_clear()
        with pytest.raises(ApplicationError, match="s3://bay/set"):
            cut("s3://bay/set")
    buckets.bucket.cache_clear()


def test_work_is_small_json(folder: Path):
    (shard,) = cut(folder)
    assert set(json.loads(shard.work)) == {"files"}
