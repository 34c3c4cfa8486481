"""The pages of a centre's operator: what is there and what it does, and nothing of another centre."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from baygrid.app import centres, joining, offers, tending
from baygrid.app.access import authenticate
from baygrid.app.terms import EnergyRates
from baygrid.core.jobs.lifecycle import AttemptState
from baygrid.portal.centre.looking import parts
from baygrid.ports.identity import Level, Of, OfKind
from baygrid.ports.messages import DriverReport, Outside
from baygrid.ports.records import CentreState
from baygrid.store import open_store
from tests.app.stage import HOUR, OPERATOR, Site, Stage
from tests.app.test_closing import MONTH, close, month_passes, ran
from tests.portal.conftest import csrf
from tests.portal.stages import lead, looking
from tests.portal.test_money import plain

AT = "/portal/centres/qianhai"


def runs(centre: str) -> tuple[Of, Level]:
    return Of(OfKind.CENTRE, centre), Level.OPERATOR


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    store = open_store(f"sqlite:///{tmp_path}/a.db")
    yield Stage(store)
    store.close()


@pytest.fixture
def site(stage: Stage) -> Site:
    return stage.add_site("qianhai")


def test_the_first_page_leads_to_all_that_is_the_centres(stage: Stage, site: Site):
    with looking(stage, runs("qianhai")) as client:
        page = client.get("/portal/").text
        links = set(re.findall(rf'href="({AT}[^"#]*)"', page))
        assert links >= {AT, f"{AT}/jobs", f"{AT}/use", f"{AT}/prices", f"{AT}/settlements"}
        assert {client.get(it).status_code for it in links} == {200}
        assert "Before jobs come" not in page, "all is there"
    with looking(stage, lead("demo")) as client:
        assert "/portal/centres" not in client.get("/portal/").text


def test_a_centre_that_is_new_is_told_what_comes_first(stage: Stage):
    add_harbour(stage)
    with looking(stage, runs("harbour")) as client:
        page = plain(client.get("/portal/").text)
    assert "Has not joined yet" in page
    assert "Its agent has joined not yet Something has a price not yet It is open for new jobs" in page


def add_harbour(stage: Stage) -> None:
    centres.add_centre(stage.platform, OPERATOR, "harbour", "HK", "")


def test_the_command_to_join_is_shown_once_and_its_token_is_good(stage: Stage, site: Site):
    with looking(stage, runs("qianhai")) as client:
        made = client.post(f"{AT}/join", data={"csrf": csrf(client), "with_offers": "yes"}).text
        found = re.search(
            r"BAYGRID_JOIN_TOKEN=(\S+) baygrid agent join --server http://localhost --centre qianhai<", made
        )
        assert found is not None
        assert "JOIN_TOKEN" not in client.get(AT).text
        again = client.post(f"{AT}/join", data={"csrf": csrf(client)}).text
    actor = authenticate(stage.platform, re.search(r"JOIN_TOKEN=(\S+)", again)[1])  # type: ignore[index]
    at, token = joining.invited(stage.platform, actor)
    assert (at.name, token.with_offers) == ("qianhai", False)
    assert token.made_by.startswith("user-")
    with pytest.raises(Exception, match="was taken back"):
        authenticate(stage.platform, found[1])


def test_a_page_tells_how_the_agent_is(stage: Stage, site: Site):
    site.driver = DriverReport("slurm", "22.05.8", ("gang", "estimate"))
    stage.submit({})
    stage.schedule()
    (order,) = site.desired().orders
    site.report(replace(site.says(order, AttemptState.RUNNING), staged_bytes=-1))
    with looking(stage, runs("qianhai")) as client:
        page = plain(client.get(AT).text)
        assert "Connected Open for jobs" in page
        assert "slurm 22.05.8" in page
        assert "estimates of starts; several nodes at once" in page
        assert f"{order.attempt} : it says that more bytes were staged than there can be" in page
        site.report()
        assert "All of its last report was believed." in plain(client.get(AT).text)
        stage.pass_time(HOUR)
        silent = plain(client.get(AT).text)
    assert "Silent" in silent
    assert "1 hr ago" in silent
    assert "baygrid agent doctor" in silent


def test_nodes_show_what_is_taken(stage: Stage, site: Site):
    stage.submit({"resources": {"cpus": 2, "memory": 16}})
    stage.schedule()
    with looking(stage, runs("qianhai")) as client:
        page = client.get(AT).text
    assert "main 1 – 2 of 8 16 GiB of 64 GiB" in plain(page)
    assert "qianhai-0 main 1 job – 2 of 8" in plain(page)
    assert 'width="25.00"' in page, "the bar"


def test_parts_add_up_nodes(stage: Stage):
    stage.add_site("qianhai", nodes=3)
    stage.submit({"resources": {"cpus": 8, "memory": 1}}, {"resources": {"cpus": 1, "memory": 1}})
    stage.schedule()
    (part,) = parts(tending.at_work(stage.platform, OPERATOR, "qianhai").nodes)
    assert (part.nodes, part.cpus, part.memory) == (3, (9, 24), (2048, 3 * 65_536))


def test_jobs_with_whose_they_are_and_why_they_ended(stage: Stage, site: Site):
    names = [f"job-{n:02}" for n in range(27)]
    stage.submit(*({"name": name, "resources": {"cpus": 1, "memory": 1}} for name in names))
    for turn in range(5):
        stage.schedule()
        stage.pass_time(90_000)
        cause = "out-of-memory" if turn == 0 else "staging-failed"
        site.report(*(site.says(it, AttemptState.FAILED, 60, cause) for it in site.desired().orders))
    stage.submit({"name": "runs-now"})
    stage.schedule()
    with looking(stage, runs("qianhai")) as client:
        page = client.get(f"{AT}/jobs")
        text = plain(page.text)
        assert "runs-now demo Placed qianhai-0 main 1 CPU –" in text
        assert "job-26 demo Failed" in text
        assert "its inputs could not be brought in (1)" in text
        assert "job-00" not in text
        older = re.search(rf'href="({AT}/jobs\?before=[^"]+)"', page.text)
        assert older is not None
        rest = plain(client.get(older[1]).text)
    assert "job-00 demo Failed" in rest
    assert "it took more memory than it asked for (1)" in rest
    assert "1 min" in rest
    assert "runs-now" not in rest


def test_drained_and_opened(stage: Stage, site: Site):
    def state() -> CentreState:
        row = stage.store.read(lambda tx: tx.region.centre("qianhai"))
        assert row is not None
        return row.state

    with looking(stage, runs("qianhai")) as client:
        mark = {"csrf": csrf(client)}
        answer = client.post(f"{AT}/drain", data=mark)
        assert (answer.status_code, answer.headers["location"]) == (303, AT)
        assert state() is CentreState.DRAINED
        page = plain(client.get(AT).text)
        assert "Takes no new jobs" in page
        assert "0 jobs still run here." in page
        client.post(f"{AT}/open", data=mark)
        assert state() is CentreState.OPEN
        assert client.post(f"{AT}/drain", data={"csrf": "forged"}).status_code == 403
    assert state() is CentreState.OPEN


def test_there_is_no_credential_to_renew_before_an_agent_has_one(stage: Stage, site: Site):
    with looking(stage, runs("qianhai")) as client:
        answer = client.post(f"{AT}/rotate", data={"csrf": csrf(client)})
    assert answer.status_code == 409
    assert "has no credential to renew" in answer.text


def tariffs(stage: Stage) -> list[str]:
    (offer,) = offers.offers(stage.platform, OPERATOR)
    return [str(it.cpu_hour) for it in offer.tariffs]


def test_a_price_is_looked_at_then_announced(stage: Stage, site: Site):
    with looking(stage, runs("qianhai")) as client:
        assert 'value="1"' in client.get(f"{AT}/prices?of=qianhai-main").text, "what it is now"
        typed = {
            "csrf": csrf(client), "of": "qianhai-main", "cpu_hour": "1.25", "minimum_s": "60",
            "valid_from": "2027-01-16T08:00",
        }  # fmt: skip
        looked = client.post(f"{AT}/prices", data=typed | {"do": "check"})
        text = plain(looked.text)
        assert "in force from 16 Jan 2027 08:00:00 GMT+08:00" in text
        assert "A CPU, an hour CN¥1.00 CN¥1.25 +25%" in text
        assert "Charged at least, seconds 0 60" in text
        assert tariffs(stage) == ["1"], "nothing is announced yet"
        hidden = dict(
            re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', looked.text.split("<form")[-3])
        )
        done = client.post(f"{AT}/prices", data=typed | hidden | {"do": "set"})
        assert (done.status_code, done.headers["location"]) == (303, f"{AT}/prices")
        after = plain(client.get(f"{AT}/prices").text)
    assert tariffs(stage) == ["1", "5/4"]
    assert "The prices are announced." in after
    assert "16 Jan 2027 08:00 to come CN¥1.25" in after


WRONG = [
    ("cpu_hour", "1,25", "must be a price such as 0.25"),
    ("cpu_hour", "-1", "must be a price such as 0.25"),
    ("gib_hour", "a lot", "must be a price such as 0.25"),
    ("minimum_s", "1.5", "must be a whole number of seconds"),
    ("round_up_s", "999999", "must be a whole number from 0 to 86400"),
    ("valid_from", "2020-01-01T00:00", "lies in the past"),
    ("valid_from", "tomorrow", "must be a day and a time"),
    ("valid_from", "9999-12-31T23:59", "must be a day and a time"),
]


def test_what_is_no_price_comes_back_with_what_is_wrong(stage: Stage, site: Site):
    with looking(stage, runs("qianhai")) as client:
        base = {"csrf": csrf(client), "of": "qianhai-main", "cpu_hour": "2", "do": "set"}
        for field, value, said in WRONG:
            answer = client.post(f"{AT}/prices", data=base | {field: value})
            assert answer.status_code == 422, value
            error = re.search(rf'id="{field}-error">([^<]*)<', answer.text)
            assert error is not None, value
            assert said in error[1]
            assert f'value="{value}"' in answer.text, "what was typed"
    assert tariffs(stage) == ["1"]


def test_energy_stays_as_it_was_unless_it_is_taken_off(stage: Stage):
    energy = EnergyRates(["0.5"] * 12 + ["1.2"] * 12, "+08:00", 10, 0)
    stage.add_site("qianhai", rates=offers.Rates(cpu_hour="1", energy=energy))
    with looking(stage, runs("qianhai")) as client:
        base = {"csrf": csrf(client), "of": "qianhai-main", "cpu_hour": "2", "do": "set"}
        client.post(f"{AT}/prices", data=base | {"energy": "yes", "valid_from": "2027-02-01T00:00"})
        client.post(f"{AT}/prices", data=base | {"valid_from": "2027-03-01T00:00"})
    (offer,) = offers.offers(stage.platform, OPERATOR)
    first, kept, gone = (it.terms and it.terms.energy for it in offer.tariffs)
    assert first is not None
    assert (kept, gone) == (first, None)


def test_what_has_no_price_gets_its_first(stage: Stage, site: Site):
    site.nodes = (replace(site.nodes[0], accelerators={"H100": 4}),)
    site.report()
    with looking(stage, runs("qianhai")) as client:
        assert "main · H100 Set the first prices Nothing is placed" in plain(client.get(f"{AT}/prices").text)
        base = {"csrf": csrf(client), "of": "main/H100", "cpu_hour": "0.1", "currency": "HKD", "do": "set"}
        wrong = client.post(f"{AT}/prices", data=base)
        assert "say what an hour of H100 costs" in wrong.text
        assert client.post(f"{AT}/prices", data=base | {"accelerator_hour": "12"}).status_code == 303
        assert client.get(f"{AT}/prices?of=main/H100").status_code == 404
    made = next(it for it in offers.offers(stage.platform, OPERATOR) if it.accelerator)
    assert (made.id, made.currency, str(made.tariffs[0].accelerator_hour)) == (
        "qianhai-main-H100",
        "HKD",
        "12",
    )


def test_use_adds_up_against_what_there_is(stage: Stage, site: Site):
    ran(stage, site, 3600)
    site.report(
        outside=(site.saw(Outside("7", "chen", "main", stage.now - HOUR, stage.now, 1, 8, 1024, {})),)
    )
    with looking(stage, runs("qianhai")) as client:
        page = client.get(f"{AT}/use").text
    text = plain(page)
    assert "demo Baygrid 1 8 0%" in text
    assert "chen others 1 8 0%" in text
    assert "of 5,760 hours" in text, "8 CPUs for 30 days"
    (picture,) = re.findall(r'<svg class="shares".*?</svg>', page, re.DOTALL)
    bars = [it for it in ElementTree.fromstring(picture) if it.tag == "rect"]
    assert [it.attrib["x"] for it in bars] == ["0.00", "0.83"]


def test_a_settlement_with_what_came_from_whom(stage: Stage, site: Site):
    rival = stage.add_project("rival")
    other = stage.add_site("nanshan")
    ran(stage, site)
    ran(stage, site, 1800, actor=rival)
    ran(stage, other, 1800, actor=rival)
    month_passes(stage)
    close(stage)
    with looking(stage, runs("qianhai")) as client:
        page = client.get(f"{AT}/settlements").text
        assert len(set(re.findall(r'href="(/portal/settlements/[^"]+)"', page))) == 1
        (address,) = set(re.findall(r'href="(/portal/settlements/[^"]+)"', page))
        one = client.get(address)
        text = plain(one.text)
        assert "demo 1 CN¥8.00 rival 1 CN¥4.00" in text
        assert str(MONTH) in text
        csv = re.search(r'href="(/v1/settlements/[^"]+format=csv[^"]*)"', one.text)
        assert csv is not None
        got = client.get(csv[1].replace("&amp;", "&"))
        assert (got.status_code, got.headers["content-type"].split(";")[0]) == (200, "text/csv")
        home = plain(client.get("/portal/").text)
    assert f"{MONTH} · still owed CN¥12.00" in home
    with looking(stage, runs("nanshan")) as client:
        assert client.get(address).status_code == 404


def test_nothing_of_another_centre_is_ever_shown(stage: Stage, site: Site):
    other = stage.add_site("nanshan", nodes=1)
    stage.add_project("rival")
    stage.submit({"name": "theirs", "infra": "nanshan"}, actor=stage.member("rival"))
    stage.schedule()
    other.report()
    with looking(stage, runs("qianhai")) as client:
        own = [client.get(f"{AT}{path}").text for path in ("", "/jobs", "/use", "/prices", "/settlements")]
        for page in own:
            assert "nanshan" not in page
            assert "theirs" not in page
            assert "rival" not in page
        mark = {"csrf": csrf(client)}
        for path in ("", "/jobs", "/use", "/prices", "/settlements"):
            assert client.get(f"/portal/centres/nanshan{path}").status_code == 403
        for act in ("join", "drain", "open", "rotate", "revoke"):
            assert client.post(f"/portal/centres/nanshan/{act}", data=mark).status_code == 403
        typed = mark | {"of": "nanshan-main", "cpu_hour": "9", "do": "set"}
        assert client.post("/portal/centres/nanshan/prices", data=typed).status_code == 403
        assert client.post(f"{AT}/prices", data=typed).status_code == 404, (
            "not by way of one's own page either"
        )


def test_every_page_in_every_language(stage: Stage, site: Site):
    ran(stage, site)
    month_passes(stage)
    close(stage)
    found = {}
    with looking(stage, runs("qianhai")) as client:
        for language in ("en", "zh-CN", "zh-HK", "ja"):
            client.headers["accept-language"] = language
            for path in ("", "/jobs", "/use", "/prices", "/prices?of=qianhai-main", "/settlements"):
                page = client.get(f"{AT}{path}")
                assert page.status_code == 200
                found[language, path] = plain(page.text.split("<main")[1])
    assert "Silent" in found["en", ""]
    assert "失联" in found["zh-CN", ""]
    assert "失聯" in found["zh-HK", ""]
    assert "応答なし" in found["ja", ""]
    assert len(set(found.values())) == len(found), "no page is the same in two languages"
