"""Who an account is in numbers, as an attempt's folder and a container need them."""

from __future__ import annotations

import pwd
import re

from baygrid.centres.folder.environment import NotRunnable

_NUMBERS = re.compile(r"([0-9]{1,9})(?::([0-9]{1,9}))?")


def ids_of(account: str) -> tuple[int, int]:
    """uid and gid of a user of this machine, or as they stand in "1000" or "1000:1000", which need be known
    nowhere. Raises NotRunnable."""
    if match := _NUMBERS.fullmatch(account):
        return int(match[1]), int(match[2] or match[1])
    try:
        user = pwd.getpwnam(account)
    except KeyError:
        raise NotRunnable(f"there is no user {account!r} here") from None
    return user.pw_uid, user.pw_gid
