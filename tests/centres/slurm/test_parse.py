"""Slurm's answers: as recorded from real ones (see record.py), and as no well-meaning one does."""

from pathlib import Path

import pytest

from baygrid.centres.engine import Sight, Stand
from baygrid.centres.slurm import commands, parse
from baygrid.centres.slurm.nodes import accelerators, hosts, instant, mebibytes, seconds, tres
from tests.centres.slurm.record import MARK, RECORDED

VERSIONS = ("22.05", "24.11")


@pytest.fixture(params=VERSIONS)
def answer(request):
    return lambda name: (RECORDED / request.param / name).read_bytes().decode()


def by_name(sights):
    return {sight.name: sight for sight in sights}


def row(*cells: str) -> str:
    return MARK.join(cells) + "\n"


class TestRecorded:
    def test_what_waits_and_runs(self, answer):
        sights = parse.listed(answer("listed"), MARK)
        assert [(one.id, one.stand) for one in sights if one.name == "bg-array-1"] == [
            ("9_1", Stand.WAITING),
            ("9_2", Stand.WAITING),
            ("9_0", Stand.RUNNING),
        ]
        wide = by_name(sights)["bg-wide"]
        assert (wide.stand, wide.started_at, wide.nodes) == (Stand.WAITING, None, ())
        assert wide.reason == (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions"
        )
        running = next(one for one in sights if one.id == "9_0")
        assert running.nodes == ("n1",)
        assert running.started_at is not None
        assert running.started_at > 1_700_000_000_000

    def test_names_are_what_people_choose(self, answer):
        sights = parse.listed(answer("listed"), MARK)
        assert "a|name \x1f" in by_name(sights)
        assert "bg-ok" not in by_name(sights), "a newline and a guess do not make a job"
        assert next(one for one in sights if one.id == "8").nodes == ("n1", "n2")

    @pytest.mark.parametrize("file", ["remembered", "accounted"])
    def test_how_jobs_ended(self, answer, file):
        read = parse.remembered if file == "remembered" else parse.accounted
        found = by_name(read(answer(file), MARK))
        ok, seven, gone = found["bg-ok"], found["bg-seven"], found["bg-gone"]
        assert (ok.stand, ok.exit_code, ok.cause) == (Stand.ENDED, 0, None)
        assert (seven.stand, seven.exit_code, seven.cause) == (Stand.ENDED, 7, None)
        assert (gone.stand, gone.cause) == (Stand.ENDED, "unlaunched"), "as far as Slurm knows: it had a node"
        assert found["bg-late"].cause == "time-limit"
        assert ok.ended_at is not None
        assert ok.started_at is not None
        assert 7_000 <= ok.ended_at - ok.started_at <= 9_000
        assert ok.nodes == ("n1",)

    def test_both_say_the_same_times(self, answer):
        told = by_name(parse.remembered(answer("remembered"), MARK))
        counted = by_name(parse.accounted(answer("accounted"), MARK))
        for name in ("bg-ok", "bg-seven", "bg-late"):
            assert (told[name].started_at, told[name].ended_at) == (
                counted[name].started_at,
                counted[name].ended_at,
            )

    def test_what_others_ran_is_metered(self, answer):
        text = answer("used")
        (one,) = parse.outside(text, MARK, 0, 1 << 62)
        assert (one.id, one.account, one.partition) == ("4", "bg-alice", "main")
        assert (one.nodes, one.cpus, one.memory_mib) == (2, 2, 200)
        assert one.accelerators == {"gpu": 4}
        assert parse.outside(text, MARK, 0, one.end) == []
        assert parse.outside(text, MARK, one.end, one.end + 1) == [one]

    def test_drained_nodes_and_reservations_are_not_offered(self, answer):
        reserved = parse.reservations(answer("reservations"))
        assert [(one.nodes, one.cpus) for one in reserved] == [(("n1",), 3)], "tomorrow's is not yet"
        (main,) = parse.inventory(answer("nodes"), MARK, reserved)
        assert (main.name, main.time_limit_s) == ("main", None)
        assert [(node.name, node.cpus, node.memory_mib, node.accelerators) for node in main.nodes] == [
            ("n1", 5, 8192, {"H100": 8})
        ]
        assert parse.inventory(answer("nodes"), MARK, reserved, ("other",)) == ()

    def test_the_configuration(self, answer):
        config = parse.config(answer("config"))
        assert config["SLURM_VERSION"].rpartition(".")[0] in VERSIONS
        assert config["MaxArraySize"] == "1001"
        assert config["AccountingStorageType"] == "accounting_storage/slurmdbd"

    @pytest.mark.parametrize("name", ["partition", "memory", "gpus", "account"])
    def test_a_refusal_is_for_good(self, answer, name):
        text = answer(f"refused-{name}")
        assert not parse.away(text)
        assert not parse.later(text)
        assert "Batch job submission failed" in parse.told(text)
        assert "sbatch" not in parse.told(text)

    def test_a_limit_on_jobs_at_once_is_not(self, answer):
        assert parse.later(answer("limited"))

    def test_silence_is_not_a_refusal(self, answer):
        assert parse.away(answer("silent"))

    def test_when_it_would_start(self, answer):
        at = parse.start(answer("test-only"))
        assert at is not None
        assert at > 1_700_000_000_000


def test_out_of_memory_is_told_as_such():
    text = (RECORDED / "22.05" / "remembered").read_text()
    memory = by_name(parse.remembered(text, MARK))["bg-memory"]
    assert (memory.cause, memory.peak_memory_mib) == ("out-of-memory", 100)


class TestHostile:
    def test_an_unknown_word_is_of_that_job_alone(self):
        text = row("1", "PONDERING", "1", "n1", "None", "bg-a") + row(
            "2", "RUNNING", "1", "n1", "None", "bg-b"
        )
        first, second = parse.listed(text, MARK)
        assert (first.stand, first.raw) == (Stand.UNKNOWN, "PONDERING")
        assert second.stand is Stand.RUNNING

    def test_ended_ones_are_left_to_the_accounting(self):
        assert parse.listed(row("1", "PREEMPTED", "1", "n1", "None", "bg-a"), MARK) == []

    def test_preempted_is_an_end_of_ours(self):
        text = row("1", "PREEMPTED", "10", "20", "0:0", "n1", "100M", "00:01.5", "", "None", "bg-a")
        (one,) = parse.accounted(text, MARK)
        assert (one.stand, one.cause, one.cpu_seconds) == (Stand.ENDED, "preempted", 1.5)

    def test_nothing_is_nothing(self):
        assert parse.listed("", MARK) == []
        assert parse.accounted("", MARK) == []
        assert parse.reservations("No reservations in the system\n") == []

    @pytest.mark.parametrize("text", [row("1", "RUNNING", "1", "n1", "None", "bg-a")[:-1], "1\x1f0123"])
    def test_half_an_answer_is_none(self, text):
        with pytest.raises(parse.Garbled):
            parse.listed(text, MARK)

    def test_odd_fields_hide_no_job(self):
        (one,) = parse.listed(row("1", "RUNNING", "soon", "n[1-", "a, reason", "bg-a"), MARK)
        assert (one.started_at, one.nodes, one.reason) == (None, (), "a, reason")

    def test_a_step_without_its_job_is_nobodys(self):
        text = row("7.batch", "RUNNING", "1", "Unknown", "0:0", "n1", "", "00:00:00", "1", "", "batch")
        assert parse.accounted(text, MARK) == []

    @pytest.mark.parametrize("text", ["", "Submitted", "12 34", "-1"])
    def test_an_answer_that_is_no_id(self, text):
        with pytest.raises(parse.Garbled):
            parse.submitted(text)

    def test_an_id_of_a_federated_cluster(self):
        assert parse.submitted("17;east\n") == "17"


@pytest.mark.parametrize(
    ("text", "code"),
    [("0:0", 0), ("7:0", 7), ("0:9", 137), ("0:125", 253), ("1792", 7), ("9", 137), ("0", 0), ("", None)],
)
def test_exit_codes(text, code):
    assert parse.exit_code(text) == code


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("c[1-3,07],gpu01", ("c1", "c2", "c3", "c07", "gpu01")),
        ("r[1-2]n[08-10]-ib", tuple(f"r{r}n{n}-ib" for r in (1, 2) for n in ("08", "09", "10"))),
        ("n1", ("n1",)),
        ("(null)", ()),
        ("None assigned", ()),
    ],
)
def test_lists_of_nodes(text, names):
    assert hosts(text) == names


@pytest.mark.parametrize("text", ["c[1-", "c]1[", "c[a-b]", "c[1-99999999]", "c[[1]]"])
def test_what_is_no_list_of_nodes(text):
    with pytest.raises(ValueError, match=r"nodes|invalid literal"):
        hosts(text)


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ("gpu:H100:8(S:0-1)", {"H100": 8}),
        ("gpu:a100:4,gpu:v100:2,shard:a100:16", {"a100": 4, "v100": 2}),
        ("gpu:4", {"gpu": 4}),
        ("(null)", {}),
        ("license:3", {}),
    ],
)
def test_accelerators_of_a_node(text, models):
    assert accelerators(text) == models


def test_resources_of_a_job():
    found = tres("billing=2,cpu=2,gres/gpu=4,gres/gpu:h100=4,mem=1.50G,node=1")
    assert found["gres/gpu:h100"] == "4"
    assert mebibytes(found["mem"]) == 1536
    assert tres("") == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2-03:04:05", 183_845.0),
        ("3:04:05", 11_045.0),
        ("04:05", 245.0),
        ("00:00.052", 0.052),
        ("30", 1800.0),
        ("2-03", 183_600.0),
        ("UNLIMITED", None),
        ("infinite", None),
        ("Partition_Limit", None),
    ],
)
def test_durations(text, expected):
    assert seconds(text) == expected


def test_times():
    assert instant("1795370353") == 1_795_370_353_000
    assert instant("2026-11-22T17:59:13") == 1_795_370_353_000
    assert [instant(word) for word in ("Unknown", "N/A", "NONE", "None", "")] == [None] * 5


@pytest.mark.parametrize(
    ("word", "there"),
    [
        ("idle", True), ("mixed-", True), ("allocated", True), ("idle~", True), ("reserved", True),
        ("down", False), ("down*", False), ("idle*", False), ("drained", False), ("draining@", False),
        ("maint", False), ("idle$", False), ("inval", False), ("unknown", False), ("fail", False),
    ],
)  # fmt: skip
def test_states_of_nodes(word, there):
    text = row("n1", "main*", word, "up", "8", "8192", "1-00:00:00", "(null)")
    (main,) = parse.inventory(text, MARK, [])
    assert bool(main.nodes) is there
    assert main.time_limit_s == 86_400


def test_a_reservation_of_whole_nodes_leaves_none():
    text = row("n1", "main", "reserved", "up", "8", "8192", "infinite", "gpu:H100:8")
    line = "ReservationName=x Nodes=n[1-2] NodeCnt=2 TRES=cpu=16 State=ACTIVE\n"
    (main,) = parse.inventory(text, MARK, parse.reservations(line))
    assert main.nodes == ()


def ended(id: str, start: int, end: int, **change) -> Sight:
    return Sight("bg-a", id, Stand.ENDED, "COMPLETED", started_at=start, ended_at=end, **change)


def test_an_end_waits_for_what_was_used_but_not_for_ever():
    told, now = ended("1", 0, 60_000), 60_500
    (held,) = parse.joined([told], [], now)
    assert held.stand is Stand.STOPPING
    counted = ended("1", 0, 60_000, peak_memory_mib=80)
    assert parse.joined([told], [counted], now) == [counted]
    assert parse.joined([told], [], 60_000 + parse.LAG_MS) == [told]
    assert parse.joined([ended("1", 0, 2_000)], [], 2_000) == [ended("1", 0, 2_000)]
    assert parse.joined([], [counted], now) == [counted]


def test_what_is_asked_for_is_what_is_read():
    """A field more in a command is one more in its parser."""
    assert len(commands.LISTED) == 6
    assert len(commands.REMEMBERED) == 9
    assert len(commands.ACCOUNTED) == 11


def test_recordings_are_of_both_versions():
    assert {path.name for path in Path(RECORDED).iterdir()} == set(VERSIONS)
