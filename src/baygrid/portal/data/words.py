"""What the law's and the catalogue's codes are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from baygrid.core.data.contracts import Side, State, Step
from baygrid.portal.language import N_

LABELS: Final[Mapping[str, str]] = {
    "plain": N_("not of persons"),
    "personal": N_("personal"),
    "sensitive": N_("sensitive"),
    "ordinary": N_("ordinary"),
    "notified": N_("important (notified)"),
    "published": N_("important (published)"),
    "core": N_("core data"),
    "domestic": N_("collected in the mainland"),
    "overseas": N_("collected elsewhere"),
    "subject": N_("tells persons apart"),
}
KINDS: Final[Mapping[str, str]] = {
    "persons": N_("Persons"),
    "importance": N_("Importance"),
    "origin": N_("Origin"),
    "subject": N_("Counted by"),
}
STATES: Final[Mapping[State, str]] = {
    State.REQUESTED: N_("Requested"),
    State.OFFERED: N_("Offered"),
    State.ACCEPTED: N_("Accepted"),
    State.AGREED: N_("Agreed"),
    State.VERIFIED: N_("Confirmed"),
    State.FINALIZED: N_("In force"),
    State.TERMINATED: N_("Ended"),
}
WAY: Final = (State.REQUESTED, State.OFFERED, State.ACCEPTED, State.AGREED, State.VERIFIED, State.FINALIZED)
"""Of a contract that is talked about; without that it goes from the first to AGREED."""
SIDES: Final[Mapping[Side, str]] = {
    Side.CONSUMER: N_("consumer"),
    Side.PROVIDER: N_("provider"),
    Side.OPERATOR: N_("platform operator"),
    Side.PLATFORM: N_("platform"),
}
STEPS: Final[Mapping[Step, str]] = {
    Step.REQUEST: N_("asked for"),
    Step.OFFER: N_("offered"),
    Step.ACCEPT: N_("accepted"),
    Step.AGREE: N_("agreed"),
    Step.VERIFY: N_("confirmed"),
    Step.FINALIZE: N_("put in force"),
    Step.RECORD: N_("recorded"),
    Step.SUSPEND: N_("suspended"),
    Step.RESUME: N_("resumed"),
    Step.TERMINATE: N_("ended"),
}
GROUNDS: Final[Mapping[str, str]] = {
    "other": N_("Consent, or another ground"),
    "contract": N_("A contract with the person"),
    "hr": N_("Management of staff"),
    "emergency": N_("An emergency"),
    "legal_duty": N_("A legal duty"),
}
ROUTES: Final[Mapping[str, str]] = {
    "sc": N_("Standard contract"),
    "cert": N_("Certification"),
    "gba_sc": N_("Standard contract of the Greater Bay Area"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    "FREE": N_("Free to be read"),
    "EXEMPT": N_("Exempt"),
    "CONDITION": N_("Lawful if what is named is so"),
    "PRESCRIBED_CONSENT": N_("Not without prescribed consent"),
    "STANDARD_CONTRACT_OR_CERTIFICATION": N_("Takes a standard contract or a certification"),
    "SECURITY_ASSESSMENT": N_("Takes a security assessment"),
    "PROHIBITED": N_("Prohibited"),
    "NEEDS_FACT": N_("Depends on what nobody has said yet"),
}
LINKS: Final[Mapping[str, str]] = {
    "table-added": N_("Table described"),
    "labels-confirmed": N_("Labels confirmed"),
    "table-sampled": N_("Rows looked at"),
    "read-refused": N_("Reading refused"),
    "contract-refused": N_("Step refused by the law"),
    "persons-reached": N_("Threshold of persons reached"),
    "dataset-barred": N_("Kept from a centre by the law"),
    "party-set": N_("Party verified"),
    "dataset-allowed": N_("Let to a job"),
    "table-delivered": N_("Table handed out"),
    "file-read": N_("File read"),
    "query": N_("Query asked"),
    "query-answered": N_("Query answered"),
    "token-issued": N_("Token made"),
    "token-revoked": N_("Token revoked"),
    "signed-in": N_("Signed in"),
    "sign-in-failed": N_("Sign-in failed"),
    "signed-out": N_("Signed out"),
    "hat-changed": N_("Acts for another"),
    "account-made": N_("Account made"),
    "password-changed": N_("Password changed"),
    "membership-set": N_("Membership set"),
    "membership-ended": N_("Membership ended"),
}
"""By kind of a link of the audit; steps of contracts are `STEPS`. Another is shown as it is."""
