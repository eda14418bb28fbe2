"""Time-based codes (RFC 6238): six digits, 30 s steps, one step of clock drift either way."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

import pyotp
from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from liaison.models import Person
from liaison.services.vault import Vault

STEP = 30
"""Seconds."""

USED = "This code was used already. Wait for the next one: it comes within 30 seconds."
WRONG = "The code is wrong. Enter the six digits your authenticator shows now."
OFF = (
    "Your second factor is switched off after too many wrong codes. "
    "Ask an administrator of your organisation to switch it on again."
)


def new_secret() -> str:
    """A new secret, base32."""
    return pyotp.random_base32()


def check(session: Session, vault: Vault, person: Person, code: str, now: datetime) -> str | None:
    """Accepts a code once: None where it counts, else what to tell the person.

    What is remembered is the time step, moved forward only: with the last code alone, the
    sequence A, B, A would pass.
    """
    step = step_of(vault.open(person.totp_secret), code, now)
    if step is None:
        return WRONG
    moved = session.execute(
        update(Person)
        .where(Person.id == person.id, Person.totp_last_step < step)
        .values(totp_last_step=step)
        .execution_options(synchronize_session=False)
    )
    return None if isinstance(moved, CursorResult) and moved.rowcount == 1 else USED


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step of which this is the secret's code; None where it is of none near now."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdigit()):
        return None
    totp = pyotp.TOTP(secret)
    current = int(now.timestamp()) // STEP
    fitting = None
    for step in (current - 1, current, current + 1):
        if secrets.compare_digest(totp.generate_otp(step), digits):
            fitting = step
    return fitting


def current_code(secret: str, now: datetime) -> str:
    """The code an authenticator shows; for the demo and for tests."""
    return pyotp.TOTP(secret).generate_otp(int(now.timestamp()) // STEP)


def enrolment_uri(secret: str, account: str) -> str:
    """What an authenticator reads, as text or as a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name="Liaison")


def typed_groups(secret: str) -> str:
    """The secret as one types it: groups of four."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def next_code_in(now: datetime) -> timedelta:
    """Until the next code."""
    return timedelta(seconds=STEP - int(now.timestamp()) % STEP)
