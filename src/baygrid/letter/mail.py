"""A page as a mail to one recipient: its summary as text and as HTML, and where the whole letter is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache, partial

from baygrid.letter.building import lasting
from baygrid.letter.composing import page as page_of
from baygrid.letter.issue import Issue
from baygrid.letter.page import Page, plain
from baygrid.letter.recipients import Recipient
from baygrid.letter.voice import Voice
from baygrid.letter.web import render


def composer(issue: Issue, now: datetime) -> Callable[[Recipient], EmailMessage]:
    """Makes of an issue the mail to each."""
    addresses = lasting(issue)
    in_language = cache(partial(page_of, issue))

    def mail_to(to: Recipient) -> EmailMessage:
        return mail(in_language(to.language), addresses[to.language], issue.layout.contact, to, now)

    return mail_to


def mail(page: Page, address: str, sender: str, to: Recipient, now: datetime) -> EmailMessage:
    """`address`: of the web page; `sender`: a mail address, at which one unsubscribes too."""
    voice = Voice(page.language)
    user, _, domain = sender.partition("@")
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(voice("name"), user, domain)
    message["To"] = Address(to.name, *to.email.split("@"))
    message["Subject"] = f"{voice('name')} {page.issue} {page.title}"
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<letter-{page.name}-{key(to.email)}@{domain}>"
    stop = f"mailto:{sender}?subject=unsubscribe"
    message["List-Unsubscribe"] = f"<{to.unsubscribe}>, <{stop}>" if to.unsubscribe else f"<{stop}>"
    if to.unsubscribe:
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    where = to.unsubscribe or stop
    message.set_content(_text(page, address, where, voice))
    html = render("mail.html.j2", page.language, page=page, address=address, where=where)
    message.add_alternative(html, subtype="html")
    message["Content-Language"] = page.language  # here, for setting the content takes such away
    return message


def key(email: str) -> str:
    """An address as journals and ids have it: it cannot be read out of them."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()[:32]


def _text(page: Page, address: str, where: str, voice: Voice) -> str:
    notices = [f"{voice('corrections')}{voice('colon')}{it.title} {it.right}" for it in page.notices]
    points = [f"- {plain(runs)}" for runs in page.summary]
    ends = [f"{voice('read_it')}: {address}", *page.notes[1:], *(plain(runs) for runs in page.disclaimer)]
    head = f"{voice('name')} {page.issue} {page.dated}\n{page.title}"
    return "\n\n".join([head, *notices, "\n".join(points), *ends, voice("unsubscribe", where=where)]) + "\n"
