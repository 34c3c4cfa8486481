"""One server, one provider and one browser for all four people's hours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.portal.browser import chromium
from tests.portal.hours import region as regions
from tests.portal.hours.region import Arrive, Manner, Person, Region
from tests.services import Missing


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Region]:
    try:
        with regions.region(tmp_path_factory.mktemp("hours")) as found:
            yield found
    except Missing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def arrive(region: Region, browser: Browser) -> Iterator[Arrive]:
    """Somebody signs in at the provider, or takes an invitation; what pages complain of fails the test."""
    people: list[Person] = []

    def go(who: str, manner: Manner, invitation: str | None = None) -> Person:
        person = Person(browser, region, manner, who)
        people.append(person)
        if invitation is None:
            person.sign_in()
        else:
            person.accept(invitation)
        return person

    yield go
    for person in people:
        person.close()
