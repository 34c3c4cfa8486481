"""Where each fact that the rulebooks ask of a transfer can be said: of parties, of tables, of a contract, of
a job. What only `baygrid law decide` takes is named here, with why."""

from typing import Any

from baygrid.app.crossing import SAID
from baygrid.app.transfers import document
from baygrid.core.data.labels import Important, Origin, Together
from baygrid.core.data.parties import FACTS
from baygrid.core.jobs.spec import parse
from baygrid.rulebooks.cross_border.book import facts

ONLY_DECIDE = {
    # An authority approves one transfer, not a party, and nobody may say so of himself: the silence that a
    # contract keeps is the stricter answer, and prohibits.
    "recipient.approved_by_authority",
    # For the record only: what counts is whether the operator has loaded the zone's list.
    "ftz.list_in_force",
}
ONLY_CONTRACTS = {
    # They are of one dataset and its way here, which both sides of a contract know and can be held to.
    "received_under",
    "research_only",
    "ftz.listed",
    "ftz.listed_route",
    # A job counts no persons.
    "ytd_after.pi_nonsensitive",
    "ytd_after.spi",
    "since_previous_year.pi_nonsensitive",
    "since_previous_year.spi",
}
"""Beside those: what no job can say in `data.use`. Where it is asked a contract must let the job read."""
SHOWN = Together(True, True, Important.NO, False, Origin.DOMESTIC, False)
PARTY: dict[str, Any] = dict.fromkeys(FACTS, "said")


def names(said: dict[str, Any], at: str = "") -> set[str]:
    """Of the facts that are not null in a document."""
    found: set[str] = set()
    for name, value in said.items():
        if isinstance(value, dict):
            found |= names(value, f"{at}{name}.")
        elif value is not None:
            found.add(f"{at}{name}")
    return found


def test_a_contract_can_say_all_that_the_law_asks_but_what_is_named_here():
    said = dict.fromkeys((*SAID, "ground", "choice"), "said")
    whole = document("cn", PARTY, PARTY, SHOWN, said, counted=(1, 1))
    assert facts()[0].keys() - names(whole) == ONLY_DECIDE
    assert names(whole) <= facts()[0].keys()


def test_a_job_can_say_the_same_but_what_only_a_contract_can():
    use = {
        "purpose": "same",
        "ground": "other",
        "sector": "banking",
        "choice": "sc",
        "direct_marketing": True,
    }
    spec = parse({"name": "job", "project": "demo", "run": "true", "time": "1h", "data": {"use": use}})
    own = {**spec.use, "recipient.data_processor": True}  # as for data of the job's own organisation
    assert facts()[0].keys() - names(document("cn", PARTY, PARTY, SHOWN, own)) == ONLY_DECIDE | ONLY_CONTRACTS


def test_every_fact_of_parties_is_one_that_the_law_asks():
    asked = {name.partition(".")[2] or name for name in facts()[0]}
    assert FACTS.keys() <= asked
