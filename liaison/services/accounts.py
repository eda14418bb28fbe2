"""People and their sign-ins: password, then code, then a session row that can be ended.

Refusals are given back, not raised: the caller commits the count of tries, then shows them.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor, Via
from liaison.domain.addresses import institutional_email
from liaison.domain.vocabulary import CONTACT_POINT_ROLES, PROVIDER_ROLES, Role
from liaison.errors import FieldError, Invalid
from liaison.models import Authority, Person, PersonRole, Provider, SignIn
from liaison.services import passwords, throttle, totp
from liaison.services.vault import Vault

WHOLE = timedelta(hours=12)
IDLE = timedelta(hours=1)
PENDING = timedelta(minutes=10)
"""How long the password counts while the code is awaited."""

WINDOW = timedelta(minutes=5)
PER_PAIR, PER_ACCOUNT, PER_ADDRESS = 5, 10, 50
"""Tries in a window: of one account from one address, of one account from addresses its owner
never used, and from one address at all."""

UNKNOWN = "E-mail address or password is wrong."
SHORTEST, LONGEST = 12, 128
"""Characters of a password (NIST SP 800-63B-4)."""


@dataclass(frozen=True)
class Started:
    """The password was right; the token names the session row that awaits a code."""

    token: str


@dataclass(frozen=True)
class Passed:
    """Signed in. A new token, so that one planted before sign-in is worth nothing."""

    token: str


@dataclass(frozen=True)
class Refused:
    """Not let in; ``retry_after`` in seconds where there were too many tries."""

    detail: str
    retry_after: int | None = None


def start(
    session: Session, email: str, password: str, address: str, agent: str, now: datetime
) -> Started | Refused:
    """First step of a sign-in. Unknown accounts cost the same time and get the same answer."""
    email = email.strip().lower()[:320]
    person = session.scalars(select(Person).where(Person.email == email)).one_or_none()
    wait = _wait(session, email, person, address, now)
    if wait:
        return Refused(f"Too many tries. Try again in {_minutes(wait)}.", wait)
    stored = person.password_hash if person else passwords.NOBODY
    right = passwords.fits(stored, password[: LONGEST * 4])
    if person is None or not right or person.disabled_at is not None:
        return Refused(UNKNOWN)
    if passwords.is_outdated(stored):
        person.password_hash = passwords.hashed(password)
    token = secrets.token_urlsafe(32)
    row = SignIn(
        token_hash=_hash(token),
        person_id=person.id,
        address=address,
        agent=agent[:300],
        created_at=now,
        last_seen_at=now,
        expires_at=now + PENDING,
    )
    session.add(row)
    session.flush()
    return Started(token)


def _wait(
    session: Session, email: str, person: Person | None, address: str, now: datetime
) -> int | None:
    pair, account, place = _keys(email, address)
    waits = [
        throttle.count(session, place, PER_ADDRESS, WINDOW, now),
        throttle.count(session, pair, PER_PAIR, WINDOW, now),
    ]
    if person is None or not _knows(session, person, address):
        # An attacker elsewhere uses this limit up, and does not lock the owner out at home.
        waits.append(throttle.count(session, account, PER_ACCOUNT, WINDOW, now))
    return max((w for w in waits if w is not None), default=None)


def _keys(email: str, address: str) -> tuple[str, str, str]:
    who = hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()[:32]
    return f"pair:{who}:{address}", f"account:{who}", f"address:{address}"


def _knows(session: Session, person: Person, address: str) -> bool:
    """Whether the person has signed in from this address before."""
    found = session.scalar(
        select(SignIn.id)
        .where(
            SignIn.person_id == person.id,
            SignIn.address == address,
            SignIn.factor_at.is_not(None),
        )
        .limit(1)
    )
    return found is not None


def give_code(
    session: Session, vault: Vault, sign_in: SignIn, code: str, address: str, now: datetime
) -> Passed | Refused:
    """Second step: the code. Too many wrong ones, and the password must be given again."""
    refused = _try_code(session, vault, sign_in, code, address, now)
    if refused:
        return refused
    token = secrets.token_urlsafe(32)
    result = session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in.id, SignIn.factor_at.is_(None), SignIn.ended_at.is_(None))
        .values(token_hash=_hash(token), factor_at=now, last_seen_at=now, expires_at=now + WHOLE)
        .execution_options(synchronize_session=False)
    )
    if not isinstance(result, CursorResult) or result.rowcount != 1:
        return Refused("This sign-in was completed or ended already. Sign in again.")
    pair, account, _ = _keys(sign_in.person.email, address)
    throttle.forget(session, pair, account)
    return Passed(token)


def step_up(
    session: Session, vault: Vault, sign_in: SignIn, code: str, address: str, now: datetime
) -> Refused | None:
    """A fresh factor of a person who is signed in; it counts for five minutes."""
    refused = _try_code(session, vault, sign_in, code, address, now)
    if refused is None:
        sign_in.factor_at = now
        session.flush()
    return refused


def _try_code(
    session: Session, vault: Vault, sign_in: SignIn, code: str, address: str, now: datetime
) -> Refused | None:
    key = f"code:{sign_in.person_id}:{address}"
    wait = throttle.count(session, key, PER_PAIR, WINDOW, now)
    if wait:
        return Refused(f"Too many tries. Try again in {_minutes(wait)}.", wait)
    fault = totp.check(session, vault, sign_in.person, code, now)
    if fault:
        return Refused(fault)
    throttle.forget(session, key)
    return None


def _minutes(seconds: int) -> str:
    if seconds < 100:
        return f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"


def resume(session: Session, token: str, now: datetime) -> SignIn | None:
    """The session a token names, while it lasts; reads only."""
    row = session.scalars(select(SignIn).where(SignIn.token_hash == _hash(token))).one_or_none()
    if row is None or row.ended_at is not None or row.person.disabled_at is not None:
        return None
    if now >= row.expires_at or now - row.last_seen_at >= IDLE:
        return None
    return row


def seen(session: Session, sign_in: SignIn, now: datetime) -> None:
    """Notes that the session is in use; the caller asks ``is_seen_due`` first."""
    session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in.id, SignIn.last_seen_at < now)
        .values(last_seen_at=now)
        .execution_options(synchronize_session=False)
    )


def is_seen_due(sign_in: SignIn, now: datetime) -> bool:
    """Whether a minute has passed since it was noted last."""
    return now - sign_in.last_seen_at >= timedelta(minutes=1)


def sign_out(session: Session, sign_in: SignIn, now: datetime) -> None:
    """Ends a session; its token is worth nothing from now on."""
    session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in.id, SignIn.ended_at.is_(None))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )


def set_theme(session: Session, sign_in: SignIn, theme: str) -> None:
    """``auto``, ``light`` or ``night``; kept with the account."""
    if theme not in ("auto", "light", "night"):
        raise Invalid([FieldError("/theme", "Choose auto, light or night.")])
    session.execute(
        update(Person)
        .where(Person.id == sign_in.person_id)
        .values(theme=theme)
        .execution_options(synchronize_session=False)
    )


def actor_of(sign_in: SignIn, address: str) -> Actor:
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
        via=Via("totp", str(sign_in.id), address, sign_in.factor_at),
    )


def register_person(
    session: Session,
    vault: Vault,
    *,
    email: str,
    name: str,
    password: str,
    roles: Iterable[Role],
    now: datetime,
    authority: Authority | None = None,
    provider: Provider | None = None,
    totp_secret: str | None = None,
) -> tuple[Person, str]:
    """A new person of one organisation, and the secret for their authenticator."""
    given = frozenset(roles)
    _check_person(session, email, name, password, given, authority, provider)
    secret = totp_secret or totp.new_secret()
    person = Person(
        email=institutional_email(email).lower(),
        name=name.strip(),
        authority=authority,
        provider=provider,
        password_hash=passwords.hashed(password),
        totp_secret=vault.seal(secret),
        created_at=now,
        roles=[PersonRole(role=role) for role in sorted(given)],
    )
    session.add(person)
    session.flush()
    return person, secret


def _check_person(
    session: Session,
    email: str,
    name: str,
    password: str,
    roles: frozenset[Role],
    authority: Authority | None,
    provider: Provider | None,
) -> None:
    faults = []
    try:
        address = institutional_email(email).lower()
        if session.scalar(select(Person.id).where(Person.email == address)):
            faults.append(FieldError("/email", "This address has an account already."))
    except ValueError as error:
        faults.append(FieldError("/email", str(error)))
    if not name.strip():
        faults.append(FieldError("/name", "Enter the person's name."))
    if not SHORTEST <= len(password) <= LONGEST:
        detail = f"A password has {SHORTEST} to {LONGEST} characters."
        faults.append(FieldError("/password", detail))
    possible = CONTACT_POINT_ROLES if authority else PROVIDER_ROLES
    if (authority is None) == (provider is None):
        faults.append(FieldError("/organisation", "A person belongs to one organisation."))
    if not roles or not roles <= possible:
        choices = ", ".join(sorted(role.value for role in possible))
        faults.append(FieldError("/roles", f"Choose from: {choices}."))
    if faults:
        raise Invalid(faults)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
