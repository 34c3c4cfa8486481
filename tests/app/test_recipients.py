"""Recipients: a token is shown once, ends when it should, and reads nobody else's shares."""

from __future__ import annotations

import threading

import pytest

from baygrid.app import contracts, grants, recipients
from baygrid.app.grants import Bearer, ReadRefused
from baygrid.app.problems import Invalid, NotFound, Unauthorized, UnknownToken, WrongState
from tests.app.data_stage import LAB, DataStage
from tests.app.stage import OPERATOR

DAY = 86_400_000
URL = "http://127.0.0.1/delta-sharing/"


@pytest.fixture
def stage() -> DataStage:
    stage = DataStage()
    stage.shared(stage.table("visits", ["a", "b"]))
    return stage


def activate(stage: DataStage, link: recipients.Link) -> str:
    token: str = recipients.profile(stage.platform, link.secret, URL)["bearerToken"]
    return token


def reads(stage: DataStage, token: str) -> bool:
    try:
        bearer = recipients.bearer(stage.platform, token)
        grants.may_read(stage.platform, bearer, "hospital", "hospital", "visits")
    except Unauthorized:
        return False
    return True


def test_a_profile_is_what_the_clients_of_delta_sharing_read(stage: DataStage):
    link = recipients.add(stage.platform, stage.lab, None, "anna")
    found = recipients.profile(stage.platform, link.secret, URL)
    assert found["shareCredentialsVersion"] == 1
    assert found["endpoint"] == URL
    assert found["bearerToken"].startswith("bgs_")
    assert found["expirationTime"] == "2027-02-20T17:00:00.000Z"  # 90 days
    assert reads(stage, found["bearerToken"])


def test_a_link_is_good_once(stage: DataStage):
    link = recipients.add(stage.platform, stage.lab, None, "anna")
    activate(stage, link)
    with pytest.raises(NotFound, match="was used"):
        activate(stage, link)
    with pytest.raises(NotFound):
        recipients.profile(stage.platform, "guessed", URL)


def test_of_many_who_use_a_link_at_once_one_has_the_token(stage: DataStage):
    link = recipients.add(stage.platform, stage.lab, None, "anna")
    gate, made, failed = threading.Barrier(16), [], []

    def use() -> None:
        gate.wait(timeout=30)
        try:
            made.append(activate(stage, link))
        except NotFound as none:
            failed.append(none)

    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert (len(made), len(failed)) == (1, 15)
    assert reads(stage, made[0])


def test_a_link_that_nobody_uses_ends(stage: DataStage):
    link = recipients.add(stage.platform, stage.lab, None, "anna")
    stage.now = link.until
    with pytest.raises(NotFound, match="too old"):
        activate(stage, link)


def test_a_token_ends_in_its_time(stage: DataStage):
    token = activate(stage, recipients.add(stage.platform, stage.lab, None, "anna", days=2))
    stage.now += 2 * DAY - 1
    assert reads(stage, token)
    stage.now += 1
    assert not reads(stage, token)


def test_rotating_leaves_an_overlap_and_takes_back_links_of_before(stage: DataStage):
    old = activate(stage, recipients.add(stage.platform, stage.lab, None, "anna"))
    unused = recipients.rotate(stage.platform, stage.lab, None, "anna", overlap_ms=5 * DAY)
    new = activate(stage, recipients.rotate(stage.platform, stage.lab, None, "anna", overlap_ms=DAY))
    with pytest.raises(NotFound):
        activate(stage, unused)
    stage.now += DAY - 1
    assert (reads(stage, old), reads(stage, new)) == (True, True)
    stage.now += 1
    assert (reads(stage, old), reads(stage, new)) == (False, True)


def test_revoking_stops_the_next_read_and_links_that_are_out(stage: DataStage):
    token = activate(stage, recipients.add(stage.platform, stage.lab, None, "anna"))
    bearer = recipients.bearer(stage.platform, token)
    permit = grants.may_read(stage.platform, bearer, "hospital", "hospital", "visits")
    link = recipients.rotate(stage.platform, stage.lab, None, "anna")
    found = recipients.revoke(stage.platform, stage.lab, None, "anna")
    assert {it.revoked_at for it in found.tokens} == {stage.now}
    assert not reads(stage, token)
    with pytest.raises(Unauthorized, match="revoked"):  # the bearer that was let in before
        grants.may_read(stage.platform, bearer, "hospital", "hospital", "visits")
    with pytest.raises(Unauthorized, match="revoked"):
        grants.still(stage.platform, bearer.token, permit.grant.id)
    with pytest.raises(NotFound):
        activate(stage, link)


def test_a_files_address_is_checked_by_token_and_grant(stage: DataStage):
    bearer = stage.bearer()
    permit = grants.may_read(stage.platform, bearer, "hospital", "hospital", "visits")
    assert grants.still(stage.platform, bearer.token, permit.grant.id) == permit
    museum = stage.bearer("eve", stage.join("museum", LAB))
    for token, grant in ((museum.token, permit.grant.id), (bearer.token, "grant-x"), ("x", permit.grant.id)):
        with pytest.raises(NotFound):
            grants.still(stage.platform, token, grant)
    contracts.terminate(stage.platform, stage.hospital, permit.contract.id, "enough")
    with pytest.raises(ReadRefused, match="TERMINATED"):
        grants.still(stage.platform, bearer.token, permit.grant.id)


def test_no_token_reads_anothers_share(stage: DataStage):
    museum = stage.bearer("eve", stage.join("museum", LAB))
    assert grants.shared(stage.platform, museum) == []
    with pytest.raises(NotFound):
        grants.may_read(stage.platform, museum, "hospital", "hospital", "visits")
    stolen = Bearer("lab", museum.by, museum.token)
    with pytest.raises(Unauthorized):
        grants.may_read(stage.platform, stolen, "hospital", "hospital", "visits")


@pytest.mark.parametrize("secret", [None, "", "bgs_", "bgs_guessed", "tok-operator"])
def test_what_is_no_token_is_told_how_to_have_one(stage: DataStage, secret: str | None):
    with pytest.raises(UnknownToken, match="profile"):
        recipients.bearer(stage.platform, secret)


def test_recipients_belong_to_their_project(stage: DataStage):
    recipients.add(stage.platform, stage.lab, None, "anna")
    recipients.add(stage.platform, OPERATOR, "hospital", "anna")
    with pytest.raises(WrongState, match="already"):
        recipients.add(stage.platform, stage.lab, None, "anna")
    assert [it.row.project for it in recipients.recipients(stage.platform, OPERATOR)] == ["hospital", "lab"]
    assert [it.row.project for it in recipients.recipients(stage.platform, stage.lab)] == ["lab"]
    with pytest.raises(NotFound):
        recipients.revoke(stage.platform, stage.lab, "hospital", "anna")
    with pytest.raises(NotFound, match="no recipient"):
        recipients.rotate(stage.platform, stage.lab, None, "bob")


@pytest.mark.parametrize("days", [0, 367])
def test_a_token_lasts_a_day_to_a_year(stage: DataStage, days: int):
    with pytest.raises(Invalid, match="days"):
        recipients.add(stage.platform, stage.lab, None, "anna", days=days)
    with pytest.raises(Invalid, match="overlap"):
        recipients.rotate(stage.platform, stage.lab, None, "anna", overlap_ms=31 * DAY)
    assert recipients.recipients(stage.platform, stage.lab) == []


def test_no_secret_is_kept(stage: DataStage):
    link = recipients.add(stage.platform, stage.lab, None, "anna")
    token = activate(stage, link)
    stored = stage.store.read(
        lambda tx: [*tx.recipients.tokens(link.recipient.row.id), *tx.audit.after(0, 999)]
    )
    assert token not in repr(stored)
    assert link.secret not in repr(stored)
