"""What the law across the border says of a transfer, with the lists that this server has loaded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from baygrid.app.access import Action, Actor, permit
from baygrid.app.platform import Platform
from baygrid.app.problems import Invalid
from baygrid.core.days import day_of
from baygrid.core.reading import DocumentError
from baygrid.rulebooks import cross_border
from baygrid.rulebooks.cross_border import Decision, NotLoaded


def decide(platform: Platform, actor: Actor, facts: Mapping[str, Any], as_of: date | None) -> Decision:
    """On that day, else today. Nothing is kept of it. Raises Invalid with every mistake, and where facts
    contradict each other."""
    permit(actor, Action.BROWSE)
    try:
        return cross_border.decide_stated(facts, as_of or day_of(platform.clock()), platform.lists)
    except DocumentError as error:
        raise Invalid.many([(f"facts.{it.path}", it.message) for it in error.problems]) from None
    except NotLoaded as error:
        raise Invalid.at("as_of", f"{error}: ask for a later day") from None
