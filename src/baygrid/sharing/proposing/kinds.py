"""Kinds of columns that speak of persons, and what the law may call them.

Sensitive are those that the Personal Information Protection Law names (28: biometrics, beliefs, specific
identities, health, financial accounts, whereabouts, children below 14), and numbers of identity documents, of
which it says nothing and a person should. Nothing is ever proposed as important data: that is what was
notified or published as such (Data Security Law 21), which no value tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """`says`: in a sentence, "looks like ...". `tells`: how well it tells persons apart, 0: not at all.
    `mainland`: a sign that it was collected there."""

    says: str
    sensitive: bool | None = False
    tells: int = 0
    mainland: bool = False


MAINLAND_CARD: Final = Kind("identity card numbers of the mainland", True, 9, mainland=True)
HONG_KONG_CARD: Final = Kind("Hong Kong identity card numbers", True, 9)
MY_NUMBER: Final = Kind("individual numbers of Japan", True, 9)
PASSPORT: Final = Kind("numbers of passports or travel permits", True, 8)
PERSON_KEY: Final = Kind("numbers by which persons are kept apart", False, 7)
MAINLAND_PHONE: Final = Kind("mobile numbers of the mainland", False, 6, mainland=True)
HONG_KONG_PHONE: Final = Kind("telephone numbers of Hong Kong", False, 6)
PHONE: Final = Kind("telephone numbers", False, 6)
EMAIL: Final = Kind("e-mail addresses", False, 5)
ACCOUNT: Final = Kind("names of accounts in a service", False, 5)
BANK_CARD: Final = Kind("numbers of bank cards or accounts", True, 4)
PERSON_NAME: Final = Kind("names of persons", False, 3)
DEVICE: Final = Kind("numbers of devices or addresses in a network", False, 2)
PLATE: Final = Kind("number plates", False, 2, mainland=True)
ADDRESS: Final = Kind("addresses of homes or work", None)
BIRTH: Final = Kind("days of birth", False)
HEALTH: Final = Kind("somebody's health", True)
BIOMETRIC: Final = Kind("biometrics", True)
BELIEF: Final = Kind("beliefs or memberships", True)
WHEREABOUTS: Final = Kind("where somebody was", True)
CHILD: Final = Kind("children or who cares for them", True)
MONEY: Final = Kind("money of persons", True)
SECRET: Final = Kind("passwords or keys", True)
TRAIT: Final = Kind("sex, nationality, people, family or education of persons", False)
