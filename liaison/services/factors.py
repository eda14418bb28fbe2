"""The second step, whichever factor is given: counted, checked, noted.

Refusals are given back, not raised: the caller commits the count of tries, then shows them.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor, Via
from liaison.models import Person, SignIn
from liaison.services import outbox, portal_log, recovery, throttle, totp
from liaison.services.vault import Vault

TOTP, PASSKEY, RECOVERY = "totp", "passkey", "recovery"

WHOLE = timedelta(hours=12)
"""How long a session lasts at most."""

WINDOW = timedelta(minutes=5)
PER_PLACE = 5
"""Tries of one person's factor from one place in a window."""

MOST_FAILURES = 100
"""Wrong tries in a row that switch the factor off until a person acts."""

WRONG_RECOVERY = (
    "This recovery code is wrong or was used already. Each of the ten counts once: try another."
)
ENDED = "This sign-in was completed or ended already. Sign in again."


@dataclass(frozen=True)
class Passed:
    """Signed in. A new token, so that one planted before sign-in is worth nothing."""

    token: str


@dataclass(frozen=True)
class Refused:
    """Not let in; ``retry_after`` in seconds where there were too many tries."""

    detail: str
    retry_after: int | None = None


def give_code(
    session: Session, vault: Vault, sign_in: SignIn, code: str, address: str, now: datetime
) -> Passed | Refused:
    """Second step of a sign-in: the code of the authenticator."""
    refused = _try_code(session, vault, sign_in, code, address, now)
    return refused or complete(session, sign_in, TOTP, address, now)


def step_up(
    session: Session, vault: Vault, sign_in: SignIn, code: str, address: str, now: datetime
) -> Refused | None:
    """A fresh factor of a person who is signed in; it counts for five minutes."""
    refused = _try_code(session, vault, sign_in, code, address, now)
    if refused is None:
        freshen(session, sign_in, TOTP, now)
    return refused


def give_recovery_code(
    session: Session, sign_in: SignIn, typed: str, address: str, now: datetime
) -> Passed | Refused:
    """Second step without the authenticator: a recovery code, used up by it.

    The person is told by letter: whoever stole the code is not alone in knowing.
    """

    def check() -> str | None:
        fits = recovery.use(session, sign_in.person_id, typed, now)
        return None if fits else WRONG_RECOVERY

    refused = attempt(session, sign_in, RECOVERY, check, address, now)
    if refused:
        return refused
    left = recovery.left(session, sign_in.person_id)
    told = {"left": left, "address": address, "at": now.isoformat()}
    tell(session, sign_in.person, "recovery_code_used", told, f"{sign_in.id}", now)
    note(session, sign_in, "recovery_code_used", {"left": left}, address, now)
    return complete(session, sign_in, RECOVERY, address, now)


def _try_code(
    session: Session, vault: Vault, sign_in: SignIn, code: str, address: str, now: datetime
) -> Refused | None:
    def check() -> str | None:
        return totp.check(session, vault, sign_in.person, code, now)

    return attempt(session, sign_in, TOTP, check, address, now)


def attempt(
    session: Session,
    sign_in: SignIn,
    factor: str,
    check: Callable[[], str | None],
    address: str,
    now: datetime,
) -> Refused | None:
    """One counted try of a factor; ``check`` answers None where it fits, else what is wrong."""
    key = f"code:{sign_in.person_id}:{throttle.place(address)}"
    wait = throttle.count(session, key, PER_PLACE, WINDOW, now)
    if wait:
        return Refused(f"Too many tries. Try again in {minutes(wait)}.", wait)
    off = sign_in.person.factor_off_at is not None
    fault = totp.OFF if off else check()
    if fault is None:
        throttle.forget(session, key)
        _clear_failures(session, sign_in.person)
        return None
    # A code that was used already was a right one once: it is refused, not counted as a guess.
    if not off and fault != totp.USED and _count_failure(session, sign_in.person, now):
        fault = totp.OFF
        _switched_off(session, sign_in, address, now)
    refused = "sign_in_refused" if sign_in.factor_at is None else "step_up_refused"
    note(session, sign_in, refused, {"factor": factor}, address, now)
    return Refused(fault)


def _clear_failures(session: Session, person: Person) -> None:
    session.execute(
        update(Person)
        .where(Person.id == person.id, Person.factor_failures > 0)
        .values(factor_failures=0)
        .execution_options(synchronize_session=False)
    )


def _count_failure(session: Session, person: Person, now: datetime) -> bool:
    """Counts a wrong try; whether it switched the factor off."""
    failures = session.execute(
        update(Person)
        .where(Person.id == person.id)
        .values(factor_failures=Person.factor_failures + 1)
        .returning(Person.factor_failures)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    if failures < MOST_FAILURES:
        return False
    switched = session.execute(
        update(Person)
        .where(Person.id == person.id, Person.factor_off_at.is_(None))
        .values(factor_off_at=now)
        .execution_options(synchronize_session=False)
    )
    return isinstance(switched, CursorResult) and switched.rowcount == 1


def _switched_off(session: Session, sign_in: SignIn, address: str, now: datetime) -> None:
    what = "Your second factor was switched off after too many wrong tries."
    told = {"what": what, "address": address, "at": now.isoformat()}
    tell(session, sign_in.person, "factor_changed", told, f"off:{sign_in.id}", now)
    note(session, sign_in, "factor_switched_off", {"failures": MOST_FAILURES}, address, now)


def complete(
    session: Session, sign_in: SignIn, factor: str, address: str, now: datetime
) -> Passed | Refused:
    """The factor was right: the session begins, under a token nobody has seen."""
    token = secrets.token_urlsafe(32)
    result = session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in.id, SignIn.factor_at.is_(None), SignIn.ended_at.is_(None))
        .values(
            token_hash=token_hash(token),
            factor=factor,
            factor_at=now,
            last_seen_at=now,
            expires_at=now + WHOLE,
        )
        .execution_options(synchronize_session=False)
    )
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        return Refused(ENDED)
    pair, account, _ = throttle_keys(sign_in.person.email, address)
    throttle.forget(session, pair, account)
    via = {"factor": factor, "address": address}
    note(session, sign_in, "signed_in", {"via": via}, address, now)
    return Passed(token)


def freshen(session: Session, sign_in: SignIn, factor: str, now: datetime) -> None:
    """Somebody who is signed in gave a factor again."""
    sign_in.factor_at, sign_in.factor = now, factor
    session.flush()


def actor(sign_in: SignIn, address: str) -> Actor:
    """The person behind a session, as verbs know them."""
    person = sign_in.person
    organisation = person.authority or person.provider
    return Actor(
        id=f"person:{person.id}",
        name=person.name,
        roles=person.role_set if sign_in.factor_at else frozenset(),
        authority_id=person.authority_id,
        provider_id=person.provider_id,
        person_id=person.id,
        organisation=organisation.name if organisation else "",
        via=Via(sign_in.factor or TOTP, str(sign_in.id), address, sign_in.factor_at),
    )


def note(
    session: Session,
    sign_in: SignIn,
    type_: str,
    told: Mapping[str, Any],
    address: str,
    now: datetime,
) -> None:
    """Notes in the portal log what became of a person's session or factor."""
    person = sign_in.person
    organisation = person.authority or person.provider
    data = {
        "person": str(person.id),
        "by": {"name": person.name, "organisation": organisation.name if organisation else ""},
        "via": {"factor": sign_in.factor or "password", "address": address},
        **told,
    }
    where = portal_log.organisation_of(person)
    portal_log.note(session, now, type_, f"person:{person.id}", where, data)


def tell(
    session: Session,
    person: Person,
    letter: str,
    params: Mapping[str, Any],
    key: str,
    now: datetime,
    *,
    sealed_link: str | None = None,
) -> None:
    """A letter to a person about their own access; ``key`` names its reason, once."""
    organisation = person.authority or person.provider
    told = {
        "name": person.name,
        "authority": organisation.name if organisation else "",
        **params,
    }
    key = f"{letter}:{key}"
    outbox.queue_letter(session, person.email, letter, told, key, now, sealed_link=sealed_link)


def throttle_keys(email: str, address: str) -> tuple[str, str, str]:
    """Under which keys tries are counted: account at a place, account, place."""
    who = hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()[:32]
    address = throttle.place(address)
    return f"pair:{who}:{address}", f"account:{who}", f"address:{address}"


def token_hash(token: str) -> str:
    """What is stored of a session's token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def minutes(seconds: int) -> str:
    """How long to wait, in words."""
    if seconds < 100:
        return f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"
