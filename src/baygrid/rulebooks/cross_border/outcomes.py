"""What a decision can come to."""

from __future__ import annotations

from enum import StrEnum

from baygrid.core.law import decisions


class Outcome(StrEnum):
    """CONDITION: lawful if what is named is so, which a person must find out. PRESCRIBED_CONSENT: prohibited
    without it (Hong Kong). NEEDS_FACT: it depends on what is missing."""

    FREE = "FREE"
    EXEMPT = "EXEMPT"
    CONDITION = "CONDITION"
    PRESCRIBED_CONSENT = "PRESCRIBED_CONSENT"
    STANDARD_CONTRACT_OR_CERTIFICATION = "STANDARD_CONTRACT_OR_CERTIFICATION"
    SECURITY_ASSESSMENT = "SECURITY_ASSESSMENT"
    PROHIBITED = "PROHIBITED"
    NEEDS_FACT = decisions.NEEDS_FACT
