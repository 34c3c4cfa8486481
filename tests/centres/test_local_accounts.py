"""Jobs of the local driver under accounts of their own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from baygrid.centres.folder.accounts import Accounts, parse_accounts, unusable
from baygrid.centres.folder.environment import NotRunnable
from baygrid.centres.local import LocalCentre, processes
from baygrid.core.jobs.lifecycle import AttemptState
from tests.centres import behaviour
from tests.centres.site import RUNNING, order, start, stop_of, until, until_log, whole_log
from tests.centres.test_local import PATH, LocalSite, supervisor_of

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="needs root: jobs under other accounts")


USERS = ("nobody", "daemon")  # that every machine has, and who own nothing


@pytest.fixture
def users() -> tuple[str, str]:
    return USERS


@pytest.fixture
def folder() -> Iterator[Path]:
    """That others can pass through, which pytest's own cannot."""
    made = Path(tempfile.mkdtemp(prefix="baygrid-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


class AccountSite(LocalSite):
    def __init__(self, root: Path, accounts: Accounts) -> None:
        self._accounts = accounts
        super().__init__(root)

    def _new(self) -> LocalCentre:
        return LocalCentre(
            self._root, self._nodes, sample_ms=20, path=PATH, account_of=self._accounts.account_of
        )


@pytest.fixture
def site(folder, users):
    site = AccountSite(folder / "root", Accounts({"other": users[1]}, users[0]))
    yield site
    site.end()


@needs_root
class TestLocalCentreWithAccounts(behaviour.Behaviour):
    capabilities = frozenset(
        {"gang", "out-of-memory", "accelerators", "parts", "checkpoint", "accounts", "secrets", "exec"}
    )
    many = 20


@needs_root
def test_a_job_runs_as_the_user_of_its_project(site, users):
    show = "id -un; echo $USER; touch mine; stat -c %U mine .; echo again >>/dev/stderr"
    for project, user in (("demo", users[0]), ("other", users[1])):
        one = replace(order(show, envs={"PROJECT": project}), project=project, token=f"token-{project}")
        start(site, one)
        assert until(site, one).state is AttemptState.SUCCEEDED
        assert whole_log(site, one).decode().split() == [user, user, user, user, "again"]


@needs_root
def test_a_job_cannot_reach_the_agents_files_nor_another_projects(site, folder, users):
    secret = folder / "key"
    secret.write_text("secret")
    secret.chmod(0o600)
    one = order("echo private >mine; echo up; exec sleep 600")
    start(site, one)
    until_log(site, one, b"up")
    mine = site.files(one.token).path("work/mine")
    spy = f"cat {secret}; cat {mine}; ls {folder / 'root'}; touch {folder / 'root'}/x; echo done"
    other = replace(order(spy, 2), project="other")
    start(site, other)
    until(site, other)
    said = whole_log(site, other).decode()
    assert said.count("Permission denied") == 4
    assert "private" not in said
    assert "secret" not in said.replace("secret: ", "")
    site.centre.stop(stop_of(one), site.now())
    assert until(site, one).state is AttemptState.CANCELLED


@needs_root
def test_the_jobs_environment_is_not_that_of_what_changes_the_user(site, folder, users):
    """Else a library of the job's choice would be loaded by root."""
    trace = folder / "trace"
    one = order("echo ran", envs={"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(trace)})
    start(site, one)
    assert until(site, one).state is AttemptState.SUCCEEDED
    assert [path for path in folder.glob("trace*") if path.stat().st_uid == 0] == []


@needs_root
@pytest.mark.parametrize("known", [True, False], ids=["seen before it forged", "first seen forged"])
def test_a_claim_that_names_another_process_does_not_get_it_killed(site, known):
    bystander = subprocess.Popen(["sleep", "600"], start_new_session=True)
    try:
        seen = processes.look(bystander.pid)
        assert seen is not None
        forge = (
            f'IFS= read -r stat </proc/{bystander.pid}/stat; {{ echo "$stat"; tail -n +2 ../claim; }} >../new'
        )
        told = "until [ -e told ]; do sleep 0.01; done"
        one = order(f"{told}; {forge}; mv ../new ../claim; echo forged; exec sleep 600")
        start(site, one)
        if known:
            until(site, one, RUNNING)
        Path(site.files(one.token).path("work/told")).touch()
        while b"forged" not in site.centre.read_log(one, 0, 100):  # which looks at no claim
            site.wait()
        until(site, one, RUNNING)
        real = next(iter(site.centre._lifecycle.attempts.values())).pid
        assert real != bystander.pid
        site.restart()
        site.centre.stop(stop_of(one, grace_s=0), site.now())
        until(site, one)
        assert bystander.poll() is None
        processes.signal_group(real, 9)
    finally:
        bystander.kill()
        bystander.wait()


@needs_root
def test_what_a_job_left_is_the_agents_again(site):
    one = replace(order('mkdir -p "$BAYGRID_OUTPUTS/o"; echo x >"$BAYGRID_OUTPUTS/o/x"'), outputs=("o",))
    start(site, one)
    seen = until(site, one)
    assert Path(site.files(one.token).dir).stat().st_uid == 0
    assert (seen.outputs["o"] / "x").read_text() == "x\n"
    site.centre.forget(one)
    while site.centre.untidy:
        site.centre.tidy()
    assert not Path(site.files(one.token).dir).exists()


@needs_root
def test_it_goes_on_after_the_agents_restart(site, users):
    one = order("echo up; exec sleep 600")
    start(site, one)
    pid = supervisor_of(site, one)
    assert processes.owner(pid) == pwd.getpwnam(users[0]).pw_uid
    site.restart()
    assert until(site, one, RUNNING).state is RUNNING
    site.centre.stop(stop_of(one), site.now())
    assert until(site, one).state is AttemptState.CANCELLED
    assert processes.look(pid) is None


@needs_root
def test_a_project_without_an_account_is_refused(folder, users):
    site = AccountSite(folder / "root", Accounts({"demo": users[0]}))
    one = replace(order("echo ran"), project="stranger")
    start(site, one)
    seen = until(site, one)
    assert (seen.state, seen.cause) == (AttemptState.FAILED, "refused")
    assert "--account-map stranger=USER" in seen.detail
    site.centre.close()


def test_who_has_jobs_of_several_projects_is_shared():
    assert Accounts({"a": "ann", "b": "bob"}).shared == ()
    assert Accounts({"a": "ann", "b": "bob", "c": "bob"}).shared == ("bob",)
    assert Accounts({"a": "ann"}, "carl").shared == ("carl",)


def test_accounts_are_read(tmp_path):
    file = tmp_path / "map"
    file.write_text("# who is who\nvision = alice\n\nspeech=bob:physics # later\n")
    accounts = parse_accounts([str(file), "demo=carol", "sky=1000:100"], "nobody")
    assert accounts.users == {"vision": "alice", "speech": "bob", "demo": "carol", "sky": "1000:100"}
    assert accounts.banks == {"speech": "physics"}
    assert accounts.all == ("alice", "bob", "carol", "1000:100", "nobody")
    assert accounts.account_of(replace(order("x"), project="speech")) == "bob"
    assert accounts.account_of(replace(order("x"), project="any")) == "nobody"
    with pytest.raises(NotRunnable, match="any"):
        parse_accounts(["demo=carol"]).account_of(replace(order("x"), project="any"))
    assert not parse_accounts([])


@pytest.mark.parametrize(
    "texts", [["a="], ["=b"], ["a=b:"], ["a=:c"], ["a=b", "a=c"], ["a b=c"], ["nowhere"]]
)
def test_a_map_that_is_none_is_refused(texts):
    with pytest.raises(ValueError, match=r"write each once|cannot be read"):
        parse_accounts(texts)


def test_root_the_agent_and_nobody_known_are_no_users_for_jobs():
    assert unusable(Accounts(other="root"), 1000) is not None
    assert unusable(Accounts(other="no-such-user"), 0) is not None
    assert unusable(Accounts(other="nobody"), pwd.getpwnam("nobody").pw_uid) is not None
    assert unusable(Accounts(other="nobody"), 0) is None
