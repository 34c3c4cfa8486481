"""What every centre does with the bytes of an attempt: what it takes in and leaves; part of `behaviour`."""

import pytest

from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.ports.centre import StagingFailed
from tests.centres.site import (
    fetch_from,
    no_fetch,
    order,
    sha256,
    start,
    stop_of,
    tar_of,
    until,
    until_log,
    whole_log,
)


class Bytes:
    """Tests that ask for a `site`, as those of `Behaviour`."""

    def test_workdir_and_inputs_are_unpacked(self, site):
        workdir, photos = tar_of({"a/b.txt": b"from the workdir\n"}), tar_of({"p.jpg": b"photo\n"})
        one = order(
            'cat a/b.txt "$BAYGRID_INPUTS/photos/p.jpg"',
            workdir=sha256(workdir),
            inputs={"photos": sha256(photos)},
        )
        start(site, one, fetch=fetch_from(workdir, photos))
        assert until(site, one).state is AttemptState.SUCCEEDED
        assert whole_log(site, one) == b"from the workdir\nphoto\n"

    def test_preparing_again_fetches_nothing_again(self, site):
        workdir = tar_of({"a": b"1"})
        one = order("cat a", workdir=sha256(workdir))
        site.centre.prepare(one, fetch_from(workdir))
        site.centre.prepare(one, no_fetch)

    def test_bytes_that_are_not_what_was_asked_for_are_refused(self, site):
        one = order("cat a", workdir=sha256(b"something else"))
        with pytest.raises(StagingFailed):
            site.centre.prepare(one, lambda digest: iter([tar_of({"a": b"1"})]))

    def test_outputs_are_named_when_it_succeeded(self, site):
        one = order('echo 1 >"$BAYGRID_OUTPUTS/labels/x"', outputs=("labels",))
        start(site, one)
        seen = until(site, one)
        assert set(seen.outputs) == {"labels"}
        assert (seen.outputs["labels"] / "x").read_bytes() == b"1\n"

    @pytest.mark.parametrize(
        ("end", "limit", "stops", "cause"),
        [
            ("exit 3", 60, False, "exit-code"),
            ("sleep 99", 1, False, "time-limit"),
            ("sleep 99", 60, True, None),
        ],
        ids=["fails", "is out of time", "is cancelled"],
    )
    def test_what_it_had_written_is_named_when_it(self, site, end, limit, stops, cause):
        command = f'echo 1 >"$BAYGRID_OUTPUTS/labels/x"; echo written; {end}'
        one = order(command, outputs=("labels", "empty"), time_s=limit, grace_s=1)
        start(site, one)
        if stops:
            until_log(site, one, b"written\n")
            site.centre.stop(stop_of(one), site.now())
        seen = until(site, one)
        assert seen.cause == cause
        assert set(seen.outputs) == {"labels"}
        assert (seen.outputs["labels"] / "x").read_bytes() == b"1\n"
