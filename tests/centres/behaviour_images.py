"""How a centre with the capability "image" behaves."""

from baygrid.core.jobs.lifecycle import AttemptState
from tests.centres.site import (
    RUNNING,
    fetch_from,
    order,
    sha256,
    start,
    stop_of,
    tar_of,
    until,
    until_log,
    whole_log,
)


class Images:
    """`image`: one with busybox, the file /etc/of-the-image and the variable OF_THE_IMAGE."""

    image: str
    clock_ms: int

    def inside(self, run: str, number: object = 1, **change):
        return order(run, number, image=self.image, **change)

    def test_inside_an_image_it_sees_the_images_files_and_variables(self, site):
        one = self.inside("cat /etc/of-the-image; echo $OF_THE_IMAGE; ls /usr /home; /bin/ls /lib; exit 3")
        start(site, one)
        assert until(site, one).exit_code == 3
        lines = whole_log(site, one).decode().splitlines()
        assert lines[:2] == ["inside", "yes"]
        assert all("No such file" in line for line in lines[2:]), lines

    def test_inside_an_image_its_folders_are_where_they_always_are(self, site):
        work, data = tar_of({"hello": b"of work\n"}), tar_of({"f": b"of inputs\n"})
        run = (
            'cat hello "$BAYGRID_INPUTS/data/f"; pwd; echo $BAYGRID_WORKDIR; echo made >$BAYGRID_OUTPUTS/o/f'
        )
        one = self.inside(run, workdir=sha256(work), inputs={"data": sha256(data)}, outputs=("o",))
        start(site, one, fetch=fetch_from(work, data))
        seen = until(site, one)
        assert (seen.outputs["o"] / "f").read_text() == "made\n"
        lines = whole_log(site, one).decode().splitlines()
        assert lines[:2] == ["of work", "of inputs"]
        assert lines[2] == lines[3]

    def test_a_stop_ends_all_that_runs_inside_an_image(self, site):
        one = self.inside(
            "trap '' TERM; (setsid sleep 1000 &); sleep 1001 & echo up; while :; do sleep 0.1; done"
        )
        start(site, one)
        until_log(site, one, b"up")
        before = site.now()
        site.centre.stop(stop_of(one, grace_s=1), site.now())
        seen = until(site, one)
        assert seen.state is AttemptState.CANCELLED
        assert seen.ended_at is not None
        assert seen.ended_at - before >= 1_000 - self.clock_ms

    def test_setup_and_run_share_what_setup_changed_in_the_image(self, site):
        one = self.inside("cat /tmp/installed", setup="echo there >/tmp/installed")
        start(site, one)
        assert until(site, one).state is AttemptState.SUCCEEDED
        assert whole_log(site, one) == b"there\n"
        again = self.inside("cat /tmp/installed", 2)
        start(site, again)
        assert until(site, again).exit_code == 1

    def test_it_goes_on_inside_an_image_after_a_restart(self, site):
        one = self.inside("echo up; until [ -e go ]; do sleep 0.05; done; echo went; exit 6")
        start(site, one)
        until_log(site, one, b"up")
        site.restart()
        start(site, one)
        assert until(site, one, RUNNING).state is RUNNING
        (site.work(one) / "go").touch()
        assert until(site, one).exit_code == 6
        assert whole_log(site, one) == b"up\nwent\n"

    def test_too_much_memory_inside_an_image_ends_it(self, site):
        hungry = "x=$(head -c 200000000 /dev/zero | tr '\\0' a); sleep 600"
        one = self.inside(hungry, memory_mib=64)
        start(site, one)
        seen = until(site, one)
        assert (seen.state, seen.cause) == (AttemptState.FAILED, "out-of-memory")

    def test_cpu_time_inside_an_image_is_measured(self, site):
        one = self.inside("i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; times >&2")
        start(site, one)
        assert 0.1 <= until(site, one).cpu_seconds < 20
