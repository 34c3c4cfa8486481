"""What Podman is asked for, and what an attempt's folder says of its container."""

import pytest

from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.folder.files import Exit, Files
from baygrid.centres.folder.process import parse_stat
from baygrid.centres.local import inside
from baygrid.centres.local.attempt import Facts
from baygrid.centres.local.contained import accelerators, begin
from baygrid.centres.local.podman import Box, gpus_known, reference, run
from baygrid.centres.local.sessions import below
from baygrid.centres.local.share import Share
from tests.centres.site import order


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("docker:python:3.11", "docker.io/library/python:3.11"),
        ("docker:nvidia/cuda:12.4.1", "docker.io/nvidia/cuda:12.4.1"),
        ("docker:quay.io/a/b@sha256:00", "quay.io/a/b@sha256:00"),
        ("docker:localhost/a", "localhost/a"),
        ("docker:registry:5000/a", "registry:5000/a"),
    ],
)
def test_a_short_name_is_what_docker_means_by_it(image, name):
    assert reference(image) == name


@pytest.mark.parametrize("image", ["tape:7", "docker:", "docker:--privileged", "python"])
def test_what_is_no_image_is_refused(image):
    with pytest.raises(NotRunnable):
        reference(image)


def box(**change):
    given = {
        "name": "bg-1", "image": "localhost/a", "folder": "/r/1", "rooms": ["work", "log"],
        "environ": {"A": "b"}, "user": (7, 8, (8, 9)), "limits": {"nofile": (10, 20)},
    }  # fmt: skip
    return Box(**{**given, **change})


def test_a_container_has_the_attempts_folders_and_nothing_of_the_agents():
    argv = run(box(devices=["nvidia.com/gpu=1"]), ["/bin/sh", "/r/1/begin"])
    assert argv[:2] == ["podman", "run"]
    assert argv[-2:] == ["localhost/a", "/r/1/begin"], "the image, then what it is given"
    volumes = [word for word in argv if word.startswith("--volume=")]
    assert volumes == [
        "--volume=/r/1/inside:/r/1",
        "--volume=/r/1/work:/r/1/work",
        "--volume=/r/1/log:/r/1/log",
    ]
    assert {
        "--rm",
        "--pull=never",
        "--name=bg-1",
        "--ulimit=nofile=10:20",
        "--env=A=b",
        "--device=nvidia.com/gpu=1",
    } <= {*argv}
    assert "--entrypoint=/bin/sh" in argv


def test_a_user_has_no_rights_of_root_inside():
    argv = run(box(), ["/bin/sh"])
    assert {"--user=7:8", "--group-add=9", "--cap-drop=all", "--security-opt=no-new-privileges"} <= {*argv}
    assert "--group-add=8" not in argv
    assert not [word for word in run(box(user=None), ["/bin/sh"]) if word.startswith(("--user", "--cap"))]


def test_devices_are_numbered_anew_inside():
    share = Share((("n1", "H100", (2, 5)), ("n1", "H100", (3, 7))), (), 20_000)
    devices = [f"nvidia.com/gpu={index}" for index in (2, 3, 5, 7)]
    assert accelerators(share, True) == (devices, ["0,2", "1,3"])
    with pytest.raises(NotRunnable, match="nvidia-ctk"):
        accelerators(share, False)
    assert accelerators(Share((("n1", None, ()),), (), 20_000), False) == ([], [""])


def test_devices_are_given_where_they_are_described(tmp_path):
    assert not gpus_known([tmp_path, tmp_path / "nowhere"])
    (tmp_path / "nvidia.yaml").write_text("cdiVersion: 0.5.0\nkind: nvidia.com/gpu\n")
    assert gpus_known([tmp_path])


def test_values_are_quoted_for_the_shell():
    assert begin("/r 1/log", {"A": "b 'c'\n$d"}, ["/bin/sh", "x y"]) == (
        b"export A='b '\"'\"'c'\"'\"'\n$d'\nexec >>'/r 1/log'\nexec /bin/sh 'x y' \"$@\"\n"
    )


def test_the_image_is_known_after_a_restart():
    facts = Facts.of(order(image="docker:a"))
    assert Facts.from_json(facts.to_json()) == facts
    assert "image" not in Facts.of(order()).to_json()


@pytest.mark.parametrize(
    ("around", "within", "told"),
    [
        ("exit 0 run", "exit 3 setup", (3, "setup")),
        ("exit 125 run", None, (125, inside.NEVER_BEGAN)),
        ("exit 137 run", None, (137, "run")),
        ("exit 127 run", "exit 127 run", (127, "run")),
    ],
)
def test_the_end_inside_counts_once_podman_has_ended(tmp_path, around, within, told):
    files = Files(str(tmp_path))
    (tmp_path / "inside").mkdir()
    if within:
        (tmp_path / "inside" / "exit").write_text(f"{within}\n")
    assert inside.exit_of(files) is None
    assert not inside.is_over(files)
    (tmp_path / "exit").write_text(f"{around}\n")
    seen = inside.exit_of(files)
    assert isinstance(seen, Exit)
    assert (seen.code, seen.phase) == told
    assert inside.is_over(files) is (within is not None)


def test_all_below_the_first_are_its_containers():
    def process(pid: int, parent: int):
        fields = ["S", str(parent), "1", "1", *["0"] * 15, str(pid), "0", "5"]
        return parse_stat(f"{pid} (a b) c) {' '.join(fields)}")

    everyone = [process(pid, parent) for pid, parent in ((2, 1), (5, 4), (4, 3), (3, 2), (6, 1))]
    assert [one.pid for one in below(process(3, 2), everyone)] == [3, 4, 5]
    assert below(process(7, 1), everyone) == [], "it is gone"
