"""People and their sign-ins: password, then code, then a session row that can be ended.

Refusals are given back, not raised: the caller commits the count of tries, then shows them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from liaison.domain import password_rules
from liaison.domain.addresses import institutional_email, person_name
from liaison.domain.password_rules import LONGEST, SHORTEST
from liaison.domain.reading import unstorable
from liaison.domain.vocabulary import CONTACT_POINT_ROLES, PROVIDER_ROLES, Role
from liaison.errors import FieldError, Invalid
from liaison.models import Authority, Person, PersonRole, Provider, SignIn
from liaison.services import factors, passwords, portal_log, throttle, totp
from liaison.services.factors import (
    WHOLE,
    WINDOW,
    Passed,
    Refused,
    give_code,
    give_recovery_code,
    step_up,
    throttle_keys,
    token_hash,
)
from liaison.services.factors import actor as actor_of
from liaison.services.vault import Vault

__all__ = [
    "IDLE",
    "LONGEST",
    "PENDING",
    "PER_ACCOUNT",
    "PER_ADDRESS",
    "PER_PAIR",
    "SHORTEST",
    "UNKNOWN",
    "WHOLE",
    "WINDOW",
    "Passed",
    "Refused",
    "Started",
    "Tried",
    "actor_of",
    "count_try",
    "give_code",
    "give_recovery_code",
    "is_seen_due",
    "note_refused",
    "register_person",
    "resume",
    "seen",
    "set_theme",
    "sign_out",
    "start",
    "step_up",
]

IDLE = timedelta(hours=1)
PENDING = timedelta(minutes=10)
"""How long the password counts while the code is awaited."""

PER_PAIR, PER_ACCOUNT, PER_ADDRESS = 5, 10, 50
"""Tries in a window: of one account from one address, of one account from addresses its owner
never used, and from one address at all."""

_NOBODY = UUID(int=0)

KNOWN = 200
"""How many of a person's last sign-ins say from where they are known."""

UNKNOWN = "E-mail address or password is wrong."


@dataclass(frozen=True)
class Tried:
    """A try that may be made, and against whose hash.

    ``person_id`` is None where nobody can sign in so; the check is made all the same, so that it
    costs the same time. ``account_id`` is whose account was named, if anybody's.
    """

    person_id: UUID | None
    password_hash: str
    account_id: UUID | None = None
    organisation: str = "portal"

    def fits(self, password: str) -> bool:
        """Whether the password is right; tens of milliseconds, on purpose."""
        return passwords.fits(self.password_hash, password[: LONGEST * 4])


@dataclass(frozen=True)
class Started:
    """The password was right; the token names the session row that awaits a code."""

    token: str


def count_try(session: Session, email: str, address: str, now: datetime) -> Tried | Refused:
    """Counts a try before anything is checked.

    The caller commits: the check itself takes a while, and no transaction is open while it does.
    Columns are read, not the person: an account that exists costs no query more than none.
    """
    email = email.strip().lower()[:320]
    if unstorable(email):
        email = ""
    named = session.execute(
        select(
            Person.id,
            Person.password_hash,
            Person.disabled_at,
            Person.authority_id,
            Person.provider_id,
        ).where(Person.email == email)
    ).one_or_none()
    wait = _wait(session, email, named.id if named else _NOBODY, address, now)
    if wait:
        return Refused(f"Too many tries. Try again in {factors.minutes(wait)}.", wait)
    if named is None:
        return Tried(None, passwords.NOBODY)
    side = "authority" if named.authority_id else "provider"
    return Tried(
        person_id=named.id if named.disabled_at is None else None,
        password_hash=named.password_hash,
        account_id=named.id,
        organisation=f"{side}:{named.authority_id or named.provider_id}",
    )


def start(
    session: Session, tried: Tried, right: bool, address: str, agent: str, now: datetime
) -> Started | Refused:
    """First step of a sign-in, once the password was checked (``Tried.fits``)."""
    if tried.person_id is None or not right:
        note_refused(session, tried, address, now)
        return Refused(UNKNOWN)
    # Held: a password that is changed, or an account disabled, while this one was checked
    # lets nobody in.
    counts = session.scalar(
        select(Person.id)
        .where(
            Person.id == tried.person_id,
            Person.password_hash == tried.password_hash,
            Person.disabled_at.is_(None),
        )
        .with_for_update()
    )
    if counts is None:
        note_refused(session, tried, address, now)
        return Refused(UNKNOWN)
    token = secrets.token_urlsafe(32)
    row = SignIn(
        token_hash=token_hash(token),
        person_id=tried.person_id,
        address=address,
        agent=agent[:300],
        created_at=now,
        last_seen_at=now,
        expires_at=now + PENDING,
    )
    session.add(row)
    session.flush()
    return Started(token)


def note_refused(session: Session, tried: Tried, address: str, now: datetime) -> None:
    """Notes a wrong password. Whose account was named is told by id only: what was typed as an
    address may be a password.
    """
    told = {
        "person": str(tried.account_id) if tried.account_id else None,
        "factor": "password",
        "via": {"factor": None, "address": address},
    }
    portal_log.note(session, now, "sign_in_refused", "unknown", tried.organisation, told)


def _wait(session: Session, email: str, person_id: UUID, address: str, now: datetime) -> int | None:
    pair, account, place = throttle_keys(email, address)
    waits = [
        throttle.count(session, place, PER_ADDRESS, WINDOW, now),
        throttle.count(session, pair, PER_PAIR, WINDOW, now),
    ]
    if not _knows(session, person_id, address):
        # An attacker elsewhere uses this limit up, and does not lock the owner out at home.
        waits.append(throttle.count(session, account, PER_ACCOUNT, WINDOW, now))
    return max((w for w in waits if w is not None), default=None)


def _knows(session: Session, person_id: UUID, address: str) -> bool:
    """Whether the person has signed in from this place before.

    A place, as the limits count it: an IPv6 address changes within its own /64.
    """
    found = session.scalars(
        select(SignIn.address)
        .where(SignIn.person_id == person_id, SignIn.factor_at.is_not(None))
        .order_by(SignIn.id.desc())
        .limit(KNOWN)
    )
    here = throttle.place(address)
    return any(throttle.place(known) == here for known in found)


def resume(session: Session, token: str, now: datetime) -> SignIn | None:
    """The session a token names, while it lasts; reads only."""
    row = session.scalars(
        select(SignIn).where(SignIn.token_hash == token_hash(token))
    ).one_or_none()
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


def sign_out(session: Session, sign_in: SignIn, address: str, now: datetime) -> None:
    """Ends a session; its token is worth nothing from now on."""
    result = session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in.id, SignIn.ended_at.is_(None))
        .values(ended_at=now, ended_why="signed_out")
        .execution_options(synchronize_session=False)
    )
    if isinstance(result, CursorResult) and result.rowcount == 1 and sign_in.factor_at:
        factors.note(session, sign_in, "signed_out", {}, address, now)


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
        name=person_name(name),
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
    try:
        person_name(name)
    except ValueError as error:
        faults.append(FieldError("/name", str(error)))
    where = authority or provider
    own = (name, email, where.name if where else "")
    if fault := password_rules.fault(password, own):
        faults.append(FieldError("/password", fault))
    possible = CONTACT_POINT_ROLES if authority else PROVIDER_ROLES
    if (authority is None) == (provider is None):
        faults.append(FieldError("/organisation", "A person belongs to one organisation."))
    if not roles or not roles <= possible:
        choices = ", ".join(sorted(role.value for role in possible))
        faults.append(FieldError("/roles", f"Choose from: {choices}."))
    if faults:
        raise Invalid(faults)
