"""What a project is told by mail of one event, in its reader's language: plain text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from fractions import Fraction
from functools import cache
from importlib.resources import files

import yaml
from babel.dates import format_datetime as local_datetime

from baygrid.core.days import REGION
from baygrid.core.pricing.months import Month
from baygrid.core.units import Money
from baygrid.papers.words import LANGUAGES, Words
from baygrid.ports.notices import Notice, Subscription


def mail(notice: Notice, to: Subscription, *, name: str, currency: str, sender: str, id: str) -> EmailMessage:
    """`name`: of the job, "" where it is about none. `currency`: of the project. `id`: the same for every
    try, so that who keeps it once sees it once."""
    email = to.email
    assert email is not None
    user, _, domain = sender.partition("@")
    said = _Said(notice, to, name, currency)
    at = datetime.fromtimestamp(notice.at / 1000, UTC)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(said.say("sender"), user, domain)
    message["To"] = Address("", *email.rsplit("@", 1))
    message["Subject"] = said.subject()
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{id}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("\n".join(said.lines()) + "\n")
    message["Content-Language"] = to.language
    return message


class _Said:
    def __init__(self, notice: Notice, to: Subscription, name: str, currency: str) -> None:
        self._notice, self._to, self._currency = notice, to, currency
        self._words = Words(to.language)
        self._parts = {
            "name": name,
            "project": notice.project,
            "job": notice.job or "",
            "contract": str(notice.data.get("contract", "")),
            "percent": self._words.percent(Fraction(notice.data.get("percent", 0), 100)),
        }

    def say(self, word: str, **parts: str) -> str:
        return _catalogue()[word][list(LANGUAGES).index(self._to.language)].format(**self._parts, **parts)

    def subject(self) -> str:
        return self.say(self._notice.kind)

    def lines(self) -> Iterator[str]:
        notice, data = self._notice, self._notice.data
        yield self.subject()
        yield ""
        at = datetime.fromtimestamp(notice.at / 1000, REGION)
        yield self.say("when", at=local_datetime(at, "long", locale=self._words.locale))
        yield self.say("project")
        yield from self._job(data) if notice.job else ()
        yield from self._budget(data) if "budget" in data else ()
        if data.get("until") is not None:
            yield self.say("until", day=self._words.day(data["until"]))
        if "contract" in data:
            yield from ("", self.say("see-contract"))
        yield from ("", "-- ", self.say("stop", id=self._to.id))

    def _job(self, data: Mapping[str, object]) -> Iterator[str]:
        yield self.say("job")
        cause, charge = data.get("cause"), data.get("charge")
        if cause:
            yield self.say("cause", cause=str(cause))
        if isinstance(charge, int):
            yield self.say("charged", amount=self._money(charge))
        yield from ("", self.say("see-log"))

    def _budget(self, data: Mapping[str, object]) -> Iterator[str]:
        charged, budget = data["charged"], data["budget"]
        assert isinstance(charged, int)
        assert isinstance(budget, int)
        month = self._words.month(Month.parse(str(data["month"])))
        yield self.say("used", month=month, amount=self._money(charged), budget=self._money(budget))

    def _money(self, minor: int) -> str:
        return f"{self._words.money(Money(minor, self._currency))} {self._currency}"


@cache
def _catalogue() -> Mapping[str, list[str]]:
    text = files(__package__).joinpath("notices.yaml").read_text("utf-8")
    found: dict[str, list[str]] = yaml.safe_load(text)
    return found
