"""The site of the documentation: every page is in it, nothing leads nowhere, none needs a script."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.site.book import Unfit
from scripts.site.building import build
from scripts.site.links import findings

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    build(ROOT, out)
    return out


def test_every_page_is_there_and_found_from_every_other(site):
    names = {f"{path.stem.lower()}.html" for path in (ROOT / "docs").glob("*.md")} - {"readme.html"}
    names |= {"index.html", "contents.html", "architecture.html", "find.html"}
    assert names <= {path.name for path in site.glob("*.html")}
    for person in ("for-teams.html", "for-centres.html", "for-operators.html", "for-owners.html"):
        assert all(f'href="{person}"' in path.read_text(encoding="utf-8") for path in site.glob("*.html"))


def test_the_four_kinds_are_the_navigation(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    navigation = home[home.index('<nav id="pages"') :]
    kinds = re.findall(r"<h2>(.+?)</h2>", navigation)
    assert kinds == ["Whom it is for", "Tutorials", "How-tos", "Reference", "Explanation"]


def test_only_the_search_has_scripts_and_no_page_has_any_inline(site):
    for path in site.glob("*.html"):
        scripts = re.findall(r"<script[^>]*>[^<]*", path.read_text(encoding="utf-8"))
        assert bool(scripts) == (path.name == "find.html")
        assert all("src=" in script and script.endswith(">") for script in scripts)
        assert not re.search(r'<style| style="| on\w+="', path.read_text(encoding="utf-8"))


def test_without_scripts_the_search_page_has_every_heading(site):
    page = (site / "find.html").read_text(encoding="utf-8")
    for anchor in (
        "policy.html#what-would-have-been",
        "applications.html#rating",
        "law.html#what-is-unknown",
    ):
        assert f'href="{anchor}"' in page


def test_a_word_leads_to_the_sections_that_have_it(site):
    index = json.loads(
        (site / "index.js").read_text(encoding="utf-8").removeprefix("const SITE = ").removesuffix(";\n")
    )
    steps = index["words"]["max_cost"]
    numbers = [sum(steps[: at + 1]) for at in range(len(steps))]
    assert {"job-file.html", "index.html#the-job-file"} <= {
        index["sections"][number][0] for number in numbers
    }
    assert "the" not in index["words"]


def test_the_same_pages_give_the_same_bytes(site, tmp_path):
    build(ROOT, tmp_path / "again")
    for path in site.glob("*.*"):
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


INDEX = "# Index\n\n## How-tos\n\n| page | for |\n| --- | --- |\n| [One](one.md) | all |\n"


@pytest.mark.parametrize(
    ("page", "told"),
    [
        ("[two](two.md)", "one.html: two.md: there is no such page or file"),
        ("[there](#nowhere)", "one.html: #nowhere: there is no such anchor"),
        ("[home](../README.md#gone)", "one.html: index.html#gone: there is no such anchor"),
        ("[folder](../docs)", "one.html: ../docs: there is no such page or file"),
        ("[out](../../etc/passwd)", "one.html: ../../etc/passwd: there is no such page or file"),
        ("[root](/etc/passwd)", "one.html: /etc/passwd: leads out of the site"),
        ("![a picture](images/gone.png)", "one.html: images/gone.png: there is no such page or file"),
        ("![](images/there.png)", "has no words for who does not see it"),
        ("<b>bold</b>", "docs/one.md: has HTML: <b>"),
        ("# Another title", "docs/one.md: a page begins with its only title"),
    ],
)
def test_what_is_broken_fails_and_writes_nothing(tmp_path, page, told):
    root = tree(tmp_path, {"docs/one.md": f"# One\n\n{page}\n", "docs/images/there.png": "x"})
    with pytest.raises(Unfit) as unfit:
        build(root, tmp_path / "out")
    assert told in str(unfit.value)
    assert len(unfit.value.findings) == 1 or "<b>" in told
    assert not (tmp_path / "out").exists()


def test_what_is_whole_is_built(tmp_path):
    text = (
        "# One\n## It's *here*, `too`\n[a](#its-here-too) [b](README.md) [c](../LICENSE) ![d](images/a.png)"
    )
    root = tree(tmp_path, {"docs/one.md": text, "docs/images/a.png": "x", "LICENSE": "free"})
    assert build(root, tmp_path / "out") == 4
    assert (tmp_path / "out" / "files" / "LICENSE").read_text() == "free"


@pytest.mark.parametrize(
    ("index", "told"),
    [
        ("# Index\n", "does not have docs/one.md"),
        (INDEX + "| [Again](one.md) | all |\n", "has docs/one.md twice"),
        (INDEX + "| [Two](two.md) | all |\n", "there is no docs/two.md"),
    ],
)
def test_the_index_has_every_page_once(tmp_path, index, told):
    root = tree(tmp_path, {"docs/one.md": "# One\n", "docs/README.md": index})
    with pytest.raises(Unfit, match=told):
        build(root, tmp_path / "out")


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    root = tree(tmp_path, {"docs/one.md": "# One\n"})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("work")
    with pytest.raises(Unfit, match="other things"):
        build(root, tmp_path / "mine")
    assert (tmp_path / "mine" / "work.txt").read_text() == "work"


def test_an_anchor_that_is_there_twice_is_told():
    assert list(findings({"a.html": '<p id="x"></p><p id="x"></p>'}, ())) == [
        "a.html: the anchor #x is there twice"
    ]


def tree(folder: Path, files: dict[str, str]) -> Path:
    """A repository with a page `one`."""
    root = folder / "tree"
    for name, text in ({"README.md": "# Home\n\n## More\n", "docs/README.md": INDEX} | files).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def look(folder: Path, address: str, *flags: str) -> str:
    """The page as it is once its scripts have run."""
    assert CHROMIUM is not None
    quiet = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
    argv = [CHROMIUM, "--headless", "--no-sandbox", *quiet, *flags, f"--user-data-dir={folder / 'profile'}"]
    argv += ["--virtual-time-budget=60000", "--dump-dom", address]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=100).stdout


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
def test_a_browser_finds_words_from_a_folder(site, tmp_path):
    shown = look(tmp_path, f"{(site / 'find.html').as_uri()}?q=residen+max_cost")
    found = shown[shown.index('id="found"') : shown.index('id="all"')]
    assert 'href="job-file.html"' in found
    assert "places have" in shown


PHONE = """<ul></ul><script>
async function width(page) {
  const frame = document.createElement("iframe");
  [frame.width, frame.height, frame.src] = [360, 800, page];
  await new Promise((done) => { frame.onload = done; document.body.append(frame); });
  const root = frame.contentDocument.documentElement;
  const item = document.createElement("li");
  item.textContent = `${page} ${root.scrollWidth - root.clientWidth}`;
  document.querySelector("ul").append(item);
  frame.remove();
}
(async () => { for (const page of PAGES) await width(page); })();
</script>"""


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")
def test_no_page_is_wider_than_a_phone(site, tmp_path):
    pages = sorted(path.as_uri() for path in site.glob("*.html"))
    (tmp_path / "phone.html").write_text(PHONE.replace("PAGES", json.dumps(pages)), encoding="utf-8")
    files = ("--allow-file-access-from-files", "--disable-web-security")
    shown = look(tmp_path, (tmp_path / "phone.html").as_uri(), *files)
    assert re.findall(r"<li>(\S+) (-?\d+)</li>", shown) == [(page, "0") for page in pages]
