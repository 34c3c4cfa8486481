"""Who an account is in numbers, as an attempt's folder, a process and a container need them."""

from __future__ import annotations

import os
import pwd
import re
from dataclasses import dataclass

from baygrid.centres.folder.environment import NotRunnable

_NUMBERS = re.compile(r"([0-9]{1,9})(?::([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True)
class User:
    """User, group and other groups for a process to become; None where they are our own."""

    uid: int | None = None
    gid: int | None = None
    groups: list[int] | None = None


def user_of(uid: int) -> User:
    if uid == os.geteuid():
        return User()
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        return User(uid, uid, [])
    return User(uid, user.pw_gid, os.getgrouplist(user.pw_name, user.pw_gid))


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
