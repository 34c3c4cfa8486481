"""A file of providers, and what groups come to."""

from __future__ import annotations

from pathlib import Path

import pytest

from baygrid.core.reading import DocumentError
from baygrid.oidc.settings import Provider, load
from baygrid.ports.identity import Level, Of, Said

FILE = """
providers:
  - id: region
    title: The region's account
    issuer: https://id.example.org
    client_id: baygrid
    memberships:
      - {group: leads, of: "project:vision", level: lead}
      - {group: staff, of: "project:vision", level: viewer}
      - {group: staff, of: "organisation:lab", level: member}
      - {group: bosses, of: platform, level: operator}
"""
VISION, LAB = Of.parse("project:vision"), Of.parse("organisation:lab")


def provider(text: str = FILE) -> Provider:
    (found,) = load(text)
    return found


def test_a_provider_is_read_with_its_secret_from_a_file_of_its_own(tmp_path: Path):
    (tmp_path / "secret").write_text("of the client\n")
    found = provider(
        FILE.replace("    client_id", f"    client_secret_file: {tmp_path}/secret\n    client_id")
    )
    assert (found.id, found.issuer, found.secret) == ("region", "https://id.example.org", "of the client")
    assert provider().secret is None
    with pytest.raises(OSError, match="none"):
        load(FILE.replace("    client_id", "    client_secret_file: /nowhere/none\n    client_id"))


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (["staff"], {Said(VISION, Level.VIEWER), Said(LAB, Level.MEMBER)}),
        (["staff", "leads"], {Said(VISION, Level.LEAD), Said(LAB, Level.MEMBER)}),
        (["leads", "unknown"], {Said(VISION, Level.LEAD)}),
        ("leads", {Said(VISION, Level.LEAD)}),
        ("lead", set()),
        ([], set()),
        ([["leads"], {"leads": 1}, 5, None], set()),
    ],
)
def test_groups_come_to_the_best_that_they_give(claim: object, said: set[Said]):
    assert set(provider().memberships({"groups": claim})) == said


def test_without_the_claim_nobody_is_a_member():
    assert provider().memberships({"roles": ["leads"]}) == ()


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ("https://id.example.org -> http://id.example.org", "providers.0.issuer"),
        ("https://id.example.org -> ftp://127.0.0.1", "providers.0.issuer"),
        ("https://id.example.org -> https://id.example.org?x=1", "providers.0.issuer"),
        ("https://id.example.org -> nothing", "providers.0.issuer"),
        ("id: region -> id: Region 1", "providers.0.id"),
        ('project:vision", level: lead -> project:vision", level: admin', "providers.0.memberships.0.level"),
        ('project:vision", level: lead -> vision", level: lead', "providers.0.memberships.0.of"),
        ("client_id: baygrid -> clientid: baygrid", "providers.0.client_id"),
        ("client_id: baygrid -> client_id: 5", "providers.0.client_id"),
        ("    client_id -> {a", ""),
    ],
)
def test_each_mistake_is_told_with_its_place(wrong: str, where: str):
    before, after = wrong.split(" -> ")
    assert before in FILE
    with pytest.raises(DocumentError) as told:
        load(FILE.replace(before, after, 1))
    assert where in {problem.path for problem in told.value.problems}


def test_two_providers_have_two_names():
    with pytest.raises(DocumentError, match="two providers"):
        load(FILE + FILE.removeprefix("\nproviders:\n"))
