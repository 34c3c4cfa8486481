"""What an agent is given for its driver."""

import os
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from baygrid.centres.folder.accounts import Accounts
from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.local import LocalCentre
from baygrid.centres.queued import QueuedCentre
from baygrid.centres.slurm import Account, account_of, read_settings
from baygrid.wiring.drivers import DRIVERS, SYSTEM_PATH, Given, parse_options
from tests.centres.site import order


def test_options_are_names_with_texts():
    assert parse_options(["root=/shared/a=b", "as-me="]) == {"root": "/shared/a=b", "as-me": ""}


@pytest.mark.parametrize("texts", [["root"], ["=x"], ["a=1", "a=2"]])
def test_what_is_no_option_is_refused(texts):
    with pytest.raises(ValueError, match="write each once, as name=text"):
        parse_options(texts)


def test_an_option_of_another_driver_is_refused_with_what_there_is(tmp_path):
    with pytest.raises(ValueError, match="no option 'roof': use root, rooms"):
        Given(tmp_path, "here", options={"roof": "x"}).only("root", "rooms")
    with pytest.raises(ValueError, match="use images"):
        DRIVERS["local"](Given(tmp_path, "here", options={"root": "x"}, as_me=True))


def test_nodes_are_declared_only_where_the_driver_does_not_ask_for_them(tmp_path):
    given = Given(tmp_path, "here", nodes=("n1:cpus=1",))
    assert given.only(nodes=True) == {}
    with pytest.raises(ValueError, match="leave out --node"):
        given.only()


def test_images_need_a_podman_that_runs_containers(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for images, why in (("docker", "say podman"), ("podman", "podman is not there")):
        with pytest.raises(ValueError, match=why):
            DRIVERS["local"](Given(tmp_path, "here", options={"images": images}, as_me=True))


def test_local_runs_no_job_as_the_agents_user_unless_that_is_wanted(tmp_path):
    with pytest.raises(ValueError, match=r"--account-map .* --as-me"):
        DRIVERS["local"](Given(tmp_path, "here"))
    centre = DRIVERS["local"](Given(tmp_path, "here", as_me=True))
    assert "accounts" not in centre.capabilities()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: jobs under other accounts")
def test_accounts_need_a_folder_that_they_can_pass(tmp_path):
    tmp_path.chmod(0o700)
    some = Accounts(other="nobody")
    with pytest.raises(ValueError, match="lets no other user pass"):
        DRIVERS["local"](Given(tmp_path / "state", "here", accounts=some))
    with pytest.raises(ValueError, match="jobs must not run as 'root'"):
        DRIVERS["local"](Given(tmp_path / "state", "here", accounts=Accounts(other="root")))
    made = Path(tempfile.mkdtemp(prefix="baygrid-"))
    made.chmod(0o711)
    try:
        centre = DRIVERS["local"](Given(made / "state", "here", accounts=some))
        assert "accounts" in centre.capabilities()
        assert isinstance(centre, LocalCentre)
        assert centre._path.endswith(f"bin:{SYSTEM_PATH}")
    finally:
        shutil.rmtree(made)


@pytest.mark.skipif(os.geteuid() == 0, reason="needs non-root: it looks at what a user may not do")
def test_only_root_runs_jobs_as_others(tmp_path):
    with pytest.raises(ValueError, match="only root"):
        DRIVERS["local"](Given(tmp_path, "here", accounts=Accounts(other="nobody")))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"as_me": True}, "say where the cluster's Jobs API is"),
        ({"options": {"address": "http://127.0.0.1:1"}}, "say as whom Ray runs"),
        (
            {"options": {"address": "http://127.0.0.1:1"}, "accounts": Accounts({"a": "u", "b": "v"})},
            "runs all jobs as one user",
        ),
        ({"options": {"address": "http://127.0.0.1:1"}, "as_me": True}, "Ray does not answer"),
        ({"options": {"address": "x", "port": "1"}}, "no option 'port': use address"),
    ],
)
def test_what_a_ray_centre_is_not_made_of(tmp_path, given, why):
    with pytest.raises(ValueError, match=why):
        DRIVERS["ray"](Given(tmp_path, "here", **given))


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(600)
@pytest.mark.xdist_group("ray")
def test_a_ray_centre(tmp_path, ray):
    options = {"address": ray.dashboard, "partition": "gpu"}
    centre = DRIVERS["ray"](Given(tmp_path, "here", options=options, as_me=True))
    assert centre.version.startswith("2.")
    assert [(part.name, len(part.nodes)) for part in centre.inventory()] == [("gpu", 2)]
    assert isinstance(centre, QueuedCentre)
    centre.close()


CLUSTER = {"image": "python:3.11", "kubeconfig": "kubeconfig"}


@pytest.mark.parametrize(
    ("options", "more", "why"),
    [
        ({"picture": "x"}, {}, "no option 'picture'"),
        ({"kubeconfig": "x"}, {}, "image=python:3.11"),
        (CLUSTER, {}, "--run-as UID:GID"),
        (CLUSTER, {"accounts": Accounts(other="no-such-user")}, "no user 'no-such-user'"),
        (CLUSTER, {"as_me": True}, "kubeconfig: "),
        ({"image": "python:3.11"}, {"as_me": True}, "name a kubeconfig"),
    ],
    ids=str,
)
def test_kubernetes_is_told_what_it_lacks(tmp_path, monkeypatch, options, more, why):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ValueError, match=why):
        DRIVERS["kubernetes"](Given(tmp_path, "here", options=options, **more))


def test_a_cluster_that_does_not_answer_is_said(tmp_path):
    (tmp_path / "kubeconfig").write_text(
        """
        clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
        users: [{name: u, user: {token: t}}]
        contexts: [{name: x, context: {cluster: c, user: u}}]
        current-context: x
        """
    )
    options = {"image": "python:3.11", "kubeconfig": str(tmp_path / "kubeconfig")}
    with pytest.raises(ValueError, match="Kubernetes does not answer"):
        DRIVERS["kubernetes"](Given(tmp_path, "here", options=options, as_me=True))


@pytest.mark.parametrize("driver", sorted(DRIVERS))
def test_jobs_run_under_accounts_or_as_the_agent_and_never_either_way(tmp_path, driver):
    with pytest.raises(ValueError, match=r"--account-map, --run-as\) or .*--as-me"):
        DRIVERS[driver](Given(tmp_path, "here", accounts=Accounts({"demo": "nobody"}), as_me=True))


@pytest.mark.parametrize("driver", ["local", "ray", "kubernetes"])
def test_only_slurm_counts_on_accounts(tmp_path, driver):
    with pytest.raises(ValueError, match="only Slurm"):
        DRIVERS[driver](Given(tmp_path, "here", accounts=Accounts({"a": "nobody"}, banks={"a": "physics"})))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "--account-map PROJECT=USER.* or --as-me"),
        ({"accounts": Accounts(other="nobody")}, "--run-as is not for it: say --account-map"),
        ({"accounts": Accounts({"demo": "root"})}, "jobs must not run as 'root'"),
        ({"accounts": Accounts({"demo": "no-such-user"})}, "there is no user 'no-such-user'"),
        ({"options": {"as-me": "yes"}}, "no option 'as-me': use root, conf, programs, partitions"),
        ({"options": {"accounts": "map"}}, "no option 'accounts'"),
    ],
    ids=str,
)
def test_a_slurm_centre_is_told_whose_its_jobs_are(tmp_path, given, why):
    with pytest.raises(ValueError, match=why):
        DRIVERS["slurm"](Given(tmp_path, "here", **given))


def test_slurm_is_told_users_and_what_to_count_on():
    accounts = Accounts({"vision": "alice", "speech": "bob"}, banks={"speech": "physics"})
    settings = read_settings({"partitions": "gpu,cpu", "root": "/shared"}, accounts, False)
    assert settings.accounts == {"vision": Account("alice"), "speech": Account("bob", "physics")}
    assert settings.partitions == ("gpu", "cpu")
    whose = order("x")
    assert account_of(settings, replace(whose, project="speech")) == "bob"
    with pytest.raises(NotRunnable, match="--account-map demo=USER"):
        account_of(settings, replace(whose, project="demo"))
    assert account_of(read_settings({}, Accounts(), True), whose) == ""


def test_a_slurm_centre_whose_users_could_not_reach_their_files(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    accounts = Accounts({"demo": "nobody"})
    with pytest.raises(ValueError, match=f"{closed} lets no other user pass"):
        DRIVERS["slurm"](Given(closed / "state", "here", accounts=accounts))
