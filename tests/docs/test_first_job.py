"""The first job of somebody new, timed, from an installed checkout on, in a home of its own."""

from pathlib import Path

import pytest

from scripts import first_job
from scripts.browsing import forms
from tests.docs.traces import left_running

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.timeout(320)
def test_a_first_job_finishes_and_leaves_nothing_running(tmp_path, capsys):
    first_job.first_job(first_job.Watch(), ROOT, tmp_path)
    told = [line.rpartition("  ")[0].strip() for line in capsys.readouterr().out.splitlines()]
    assert told == ["server ready", "signed in", "submitted", "finished"]
    assert not left_running(tmp_path)


def test_a_program_is_stopped_when_time_is_up(tmp_path):
    watch = first_job.Watch(bound_s=0.2)
    with pytest.raises(first_job.Late, match="no time left"):
        first_job.run(watch, ["sleep", "60"], tmp_path, {"PATH": "/usr/bin:/bin", "MARK": str(tmp_path)})
    assert not left_running(tmp_path)


def test_no_step_begins_when_time_is_up():
    times = iter([0.0, 299.0, 301.0])
    watch = first_job.Watch(lambda: next(times))
    assert watch.left() == 1.0
    with pytest.raises(first_job.Late, match="more than 300 s"):
        watch.left()


def test_a_program_that_fails_is_told(tmp_path):
    with pytest.raises(first_job.Late, match="ended with 3: no"):
        first_job.run(first_job.Watch(), ["sh", "-c", "echo no; exit 3"], tmp_path, {"PATH": "/usr/bin:/bin"})


FORM = """<form action="/a"><input name="x"></form>
<form action="/portal/b"><input type="hidden" name="csrf" value="1">
<input type="checkbox" name="no" value="1">
<input type="radio" name="r" value="1"><input type="radio" name="r" value="2" checked>
<select name="s"><option value="p">P<option value="q" selected>Q</select>
<select name="t"><option value="u">U<option value="v">V</select>
<textarea name="file">name: it &amp; all</textarea><textarea name="none"></textarea></form>"""


def test_a_form_is_sent_with_what_is_in_it_already():
    first, second = forms(FORM)
    assert (first.action, second.action) == ("/a", "/portal/b")
    assert second.values == {"csrf": "1", "r": "2", "s": "q", "t": "u", "file": "name: it & all", "none": ""}
