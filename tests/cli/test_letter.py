"""`baygrid letter`: begin, check, build, publish and send an issue as its editors do. No server runs."""

import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from baygrid.cli.entry import app
from baygrid.cli.errors import CliError
from baygrid.letter import bundle, publishing
from baygrid.observatory import sample
from baygrid.rulebooks.measures.book import rulebook
from tests.letter.issues import FIRST, alter
from tests.letter.postbox import Postbox, serving

DAY = date(2026, 11, 24)
NEW = ("new", "2", "--since", "2026-11-24", "--as-of", "2023-12-31", "--on", "2026-12-24")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with letters/001 in it, not published."""
    shutil.copytree(FIRST, tmp_path / "letters" / "001")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("registry")
    sample.write(folder)
    return str(folder)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["letter", *arguments])


def done(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.exception or result.output
    return result.output


def refused(*arguments: str) -> CliError:
    error = run(*arguments).exception
    assert isinstance(error, CliError), error
    return error


def test_check_says_what_is_wrong_and_where(home: Path):
    assert done("check", "1") == "issue 1: nothing is wrong\n"
    assert json.loads(done("check", "letters/001", "--json")) == []
    alter(home / "letters/001/texts/ja.yaml", lambda it: it.update(title="約289社"))
    result = run("check", "1", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert {it["path"] for it in found} == {
        f"texts/{it}.yaml: title" for it in ("ja", "en", "zh-Hans", "zh-Hant")
    }
    error = refused("check", "1")
    assert (error.exit_code, error.code) == (1, "unfit")
    assert len(error.flaws) == len(found)


def test_an_issue_that_is_not_there_is_one_clear_error():
    assert "there is no issue letters/007" in str(refused("check", "7"))


def test_what_is_unfit_is_neither_built_nor_published(home: Path):
    alter(home / "letters/001/texts/ja.yaml", lambda it: it.update(title="新しい題"))
    for verb in ("build", "publish"):
        assert refused(verb, "1", "--out", "public").code == "unfit"
    assert not (home / "public").exists()
    assert publishing.published(home / "letters/001") is None


def test_the_shipped_bundle_is_what_new_freezes(home: Path, registry: str):
    before = bundle.read(home / "letters/001/bundle.json")
    done("new", "1", "--registry", registry, "--on", str(before.frozen))
    assert bundle.read(home / "letters/001/bundle.json") == before
    assert (home / "letters/001/bundle.json").read_bytes() == (FIRST / "bundle.json").read_bytes()


def test_figures_of_measures_are_those_of_the_rulebook():
    facts = {it.id: it.value for it in bundle.read(FIRST / "bundle.json").figures["facts"]}
    known = rulebook("shenzhen-2024").parameters
    names = {"voucher.compute.rate": "compute_rate", "voucher.compute.start_up": "compute_rate_start_up",
             "voucher.compute.cap": "compute_cap", "voucher.model.rate": "model_rate",
             "voucher.model.cap": "model_cap"}  # fmt: skip
    assert {id: facts[id] for id in names} == {id: known[name][0].value for id, name in names.items()}
    assert {id for id in facts if id.startswith("voucher.")} == {*names}


def test_a_new_issue_says_what_is_left_to_write(home: Path, registry: str):
    told = json.loads(done(*NEW, "--registry", registry, "--zone", "qianhai", "--json"))
    made = bundle.read(home / "letters/002/bundle.json")
    assert told["figures"] == sum(map(len, made.figures.values()))
    assert (made.number, str(made.since), str(made.frozen)) == (2, "2026-11-24", "2026-12-24")
    assert {*made.figures} == {"qianhai", "cities", "facts"}
    figure = made.figure("qianhai.companies.count")
    assert figure is not None
    assert str(figure.value) == "289"
    found = [str(it) for it in refused("check", "2").flaws]
    assert any("summary: is empty" in it for it in found)
    assert any("sections.effects: is empty" in it for it in found)
    assert any("title: is missing: write it" in it for it in found)
    assert sum("must be among the rows of one change" in it for it in found) == len(made.changes) > 0
    assert not any("disclaimer" in it for it in found)


def test_without_an_earlier_issue_the_last_one_has_no_day(home: Path, registry: str):
    shutil.rmtree(home / "letters")
    assert "say --since DATE" in refused("new", "1", "--registry", registry).cure
    assert not (home / "letters").exists()
    done(
        "new",
        "1",
        "--registry",
        registry,
        "--since",
        "2026-01-01",
        "--as-of",
        "2023-12-31",
        "--on",
        "2026-12-24",
    )
    done("new", "2", "--registry", registry, "--as-of", "2023-12-31", "--on", "2027-01-24")
    assert str(bundle.read(home / "letters/002/bundle.json").since) == "2026-12-24"


def test_new_refuses_what_it_cannot_do_and_changes_nothing(home: Path, registry: str):
    assert refused(*NEW, "--registry", "nowhere").code == "bad-registry"
    assert "no zone 'atlantis'" in str(refused(*NEW, "--registry", registry, "--zone", "atlantis"))
    assert [it.name for it in (home / "letters").iterdir()] == ["001"]
    (home / "letters/002").mkdir()
    (home / "letters/002/notes.txt").write_text("of somebody")
    assert refused(*NEW, "--registry", registry).code == "not-empty"
    assert [it.name for it in (home / "letters/002").iterdir()] == ["notes.txt"]
    before = (home / "letters/001/bundle.json").read_bytes()
    assert refused("new", "1", "--registry", registry, "--as-of", "2023-12-31").code == "bad-settings"
    publishing.note(home / "letters/001", DAY)
    assert refused("new", "1", "--registry", registry).code == "published"
    assert (home / "letters/001/bundle.json").read_bytes() == before


@pytest.mark.usefixtures("fonts")
@pytest.mark.timeout(300)
def test_a_published_issue_is_corrected_and_never_altered(home: Path):
    told = json.loads(done("publish", "1", "--out", "public", "--on", "2026-11-24", "--json"))
    assert told["published"] == "2026-11-24"
    assert "ja/index.html" in told["files"]
    built = (home / "public/ja/index.html").read_bytes()
    assert "since 2026-11-24" in done("publish", "1", "--out", "again", "--on", "2026-12-01")
    assert (home / "again/ja/index.html").read_bytes() == built
    for file in ("texts/en.yaml", "issue.yaml", "bundle.json"):
        path = home / "letters/001" / file
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        for verb in (("check", "1"), ("build", "1", "--out", "x"), ("publish", "1", "--out", "x")):
            assert f"{file}: was altered after the issue was published" in str(refused(*verb))
        path.write_bytes(before)
    assert not (home / "x").exists()
    assert done("check", "1") == "issue 1: nothing is wrong\n"


def test_a_published_issue_is_mailed_once(home: Path):
    people = home / "people.csv"
    people.write_text("email,language\na@b.example,ja\nc@d.example,en\n", encoding="utf-8")
    box = Postbox()
    box.rcpt["c@d.example"] = "450 come back"
    with serving(box) as port:
        call = ("send", "1", "--recipients", "people.csv", "--smtp", f"127.0.0.1:{port}", "--tls", "none")
        assert refused(*call).code == "unpublished"
        publishing.note(home / "letters/001", DAY)
        assert refused(*call).code == "not-all-sent"
        assert box.to == ["a@b.example"]
        box.rcpt.clear()
        assert json.loads(done(*call, "--json"))["sent"] == ["c@d.example"]
        assert "0 sent, 2 had it before" in done(*call)
        assert box.to == ["a@b.example", "c@d.example"]
        assert refused(*call, "--again", "x@y.example").code == "bad-settings"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--smtp", "nowhere"), "is no mail server"),
        (("--smtp", "127.0.0.1:25", "--tls", "maybe"), "is no mail server"),
        (("--smtp", "127.0.0.1:25", "--user", "me"), "the mail user has no password"),
        (("--smtp", "127.0.0.1:1", "--tls", "none"), "cannot be used"),
    ],
)
def test_a_server_that_cannot_be_used_is_told(home: Path, options: tuple[str, ...], why: str, monkeypatch):
    monkeypatch.delenv("BAYGRID_SMTP_PASSWORD", raising=False)
    publishing.note(home / "letters/001", DAY)
    (home / "people.csv").write_text("email,language\na@b.example,ja\n", encoding="utf-8")
    assert why in str(refused("send", "1", "--recipients", "people.csv", *options))


def test_a_password_is_never_sent_in_the_clear(home: Path, monkeypatch):
    monkeypatch.setenv("BAYGRID_SMTP_PASSWORD", "secret")
    publishing.note(home / "letters/001", DAY)
    (home / "people.csv").write_text("email,language\na@b.example,ja\n", encoding="utf-8")
    call = (
        "send",
        "1",
        "--recipients",
        "people.csv",
        "--smtp",
        "127.0.0.1:25",
        "--user",
        "me",
        "--tls",
        "none",
    )
    assert "never sent in the clear" in str(refused(*call))
