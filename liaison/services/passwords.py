"""Passwords: argon2id, at OWASP's first recommended cost (19 MiB, 2 passes, 1 lane)."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)

NOBODY = _HASHER.hash("nobody's password; checked so that an unknown account costs as much time")
"""The hash that is checked where there is no account."""


def hashed(password: str) -> str:
    """The hash to store."""
    return _HASHER.hash(password)


def fits(stored: str, password: str) -> bool:
    """Whether the password is the one that was stored."""
    try:
        return _HASHER.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False
