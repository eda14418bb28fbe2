"""Codes that verify an e-mail address or a phone number before a ladder may use it.

A code for an address goes there by letter. A code for a number is read out in a call by a person
of the contact point, and typed in by somebody else: nobody does both.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.contact_entry import WAYS
from liaison.domain.permissions import Verb, demand
from liaison.errors import Forbidden, InvalidTransition, NotFound, RateLimited
from liaison.models import Contact, ContactChange, Memorandum, Verification
from liaison.queries import binding
from liaison.services import contact_scope, guards, outbox, portal_log, throttle
from liaison.services.organisations import AlreadyDone
from liaison.services.vault import Vault

EMAIL, PHONE = WAYS

DIGITS = 8
COUNTS_FOR = timedelta(hours=24)
"""How long a code counts: from the letter, or from the call."""
WAITS_FOR_CALL = timedelta(days=7)
"""How long a number waits to be called; then it is asked for again."""
TRIES = 5
CODES, WINDOW = 4, timedelta(hours=1)
"""How many codes one address or number gets in a window."""

SPENT = "Too many wrong codes: this one counts no longer. Ask for a new one."
NONE_OPEN = "No code is under way, or it has run out. Ask for a new one."
NOT_CALLED = "Nobody has called this number yet: the contact point reads the code out in a call."
BOTH = "You have read this code out yourself: another person enters it."


@dataclass(frozen=True)
class Need:
    """A way of a contact that waits to be verified, and the code that is under way, if any."""

    way: str
    value: str
    change: ContactChange | None
    """The change that brings it; None for what is registered now."""
    code: Verification | None


def needs(session: Session, contact: Contact, now: datetime) -> dict[str, Need]:
    """What is to be verified, by way; nothing where all is."""
    if contact.removed_at is not None:
        return {}
    change = contact_scope.waiting(session, contact)
    found = {}
    for way in WAYS:
        value = wanted(contact, change, way)
        if value is not None:
            brings = change if change is not None and way in change.values else None
            code = _open(session, contact, way, value, brings, now)
            found[way] = Need(way, value, brings, code)
    return {
        way: need
        for way, need in found.items()
        if need.change is None or not is_verified(session, need.change, way)
    }


def wanted(contact: Contact, change: ContactChange | None, way: str) -> str | None:
    """What a code for this way goes to: the new value that waits, or the unverified one in use."""
    if change is not None and way in change.values:
        return str(change.values[way])
    verified = contact.email_verified_at if way == EMAIL else contact.phone_verified_at
    return None if verified else str(getattr(contact, way))


def is_verified(session: Session, change: ContactChange, way: str) -> bool:
    """Whether the new value that a change brings was verified."""
    return verified_at(session, change, way) is not None


def verified_at(session: Session, change: ContactChange, way: str) -> datetime | None:
    """When it was."""
    return session.scalar(
        select(func.max(Verification.verified_at)).where(
            Verification.contact_id == change.contact_id,
            Verification.change_id == change.id,
            Verification.way == way,
            Verification.value == str(change.values[way]),
        )
    )


def ask(
    session: Session, vault: Vault, actor: Actor, contact_id: UUID, way: str, now: datetime
) -> Verification:
    """Asks for a code: by letter to the address, or by a call to the number.

    An earlier code for the same counts no longer. No fresh factor is asked for: a code goes only
    to what was entered with one.
    """
    contact, need = _to_verify(session, actor, contact_id, way, now)
    key = hashlib.sha256(need.value.encode()).hexdigest()[:32]
    wait = throttle.count(session, f"contact_code:{key}", CODES, WINDOW, now)
    if wait:
        raise RateLimited(
            f"Four codes were asked for within an hour. Try again in {-(-wait // 60)} minutes.",
            wait,
        )
    close(session, contact, now, way=way)
    code = _new_code()
    row = Verification(
        contact=contact,
        change=need.change,
        way=way,
        value=need.value,
        sealed_code=vault.seal(code),
        asked_by_id=actor.person_id,
        sent_at=now,
        expires_at=now + (COUNTS_FOR if way == EMAIL else WAITS_FOR_CALL),
    )
    session.add(row)
    session.flush()
    if way == EMAIL:
        _write(session, vault, contact, row, code, now)
    _note(session, actor, contact, "contact_code_asked", {"way": way}, now)
    return row


def to_call(session: Session, actor: Actor, now: datetime) -> list[Verification]:
    """The numbers that wait for a call by the actor's contact point, the oldest first."""
    demand(actor, Verb.CALL_TO_VERIFY)
    query = select(Verification).join(Contact).where(*_callable(actor, now))
    return list(session.scalars(query.order_by(Verification.sent_at, Verification.id)))


def count_to_call(session: Session, actor: Actor, now: datetime) -> int:
    """How many there are."""
    query = select(func.count(Verification.id)).join(Contact).where(*_callable(actor, now))
    return session.scalar(query) or 0


def find_call(
    session: Session, actor: Actor, verification_id: UUID, now: datetime, *, lock: bool = False
) -> Verification:
    """One of them; ``NotFound`` for everything else alike."""
    demand(actor, Verb.CALL_TO_VERIFY)
    query = (
        select(Verification)
        .join(Contact)
        .where(Verification.id == verification_id, *_callable(actor, now))
    )
    if lock:
        query = query.with_for_update(of=Verification).execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound("This number was verified, changed or left for too long, or is not here.")
    return found


def call(
    session: Session, vault: Vault, actor: Actor, verification_id: UUID, now: datetime
) -> Verification:
    """“I am calling now”: from here on the code is shown to this person, and counts for a day.

    Another person who calls later reads out another code: the first one is known to somebody who
    is not on the telephone.
    """
    row = find_call(session, actor, verification_id, now, lock=True)
    guards.fresh_factor(actor, now)
    entered = row.change.asked_by_id if row.change else row.contact.entered_by_id
    if actor.person_id is None or actor.person_id in {row.asked_by_id, entered}:
        raise Forbidden("You have entered this number or asked for its code: somebody else calls.")
    if row.called_by_id is not None and row.called_by_id != actor.person_id:
        row.sealed_code = vault.seal(_new_code())
    row.called_by_id, row.called_at = actor.person_id, now
    row.expires_at = now + COUNTS_FOR
    session.flush()
    _note(session, actor, row.contact, "contact_called", {"way": PHONE}, now)
    return row


def code_for(vault: Vault, actor: Actor, row: Verification) -> str | None:
    """The code, for whoever is calling; None for everybody else."""
    if row.called_by_id is None or row.called_by_id != actor.person_id:
        return None
    return vault.open(row.sealed_code)


def enter(
    session: Session,
    vault: Vault,
    actor: Actor,
    contact_id: UUID,
    way: str,
    typed: str,
    now: datetime,
) -> str | None:
    """The code was typed in: None where it fits, else what is wrong.

    Given back, not raised: the caller commits the count of tries, then shows it.
    """
    contact, need = _to_verify(session, actor, contact_id, way, now)
    row = need.code
    if row is None:
        return NONE_OPEN
    if way == PHONE and row.called_by_id is None:
        return NOT_CALLED
    if row.called_by_id is not None and row.called_by_id == actor.person_id:
        raise Forbidden(BOTH)
    if not _fits(vault, row, typed):
        row.tries += 1
        if row.tries >= TRIES:
            row.closed_at = now
        session.flush()
        _note(session, actor, contact, "contact_code_refused", {"way": way}, now)
        left = TRIES - row.tries
        return SPENT if left <= 0 else f"This code is wrong. Tries left: {left}."
    row.verified_at = row.closed_at = now
    if need.change is None:
        setattr(contact, f"{way}_verified_at", now)
        if way == PHONE:
            contact.wrong_number_at = None
    session.flush()
    _note(session, actor, contact, "contact_verified", {"way": way}, now)
    return None


def close(
    session: Session,
    contact: Contact,
    now: datetime,
    *,
    way: str | None = None,
    change: ContactChange | None = None,
) -> None:
    """Codes under way count no longer: of a contact, of one way of it, or of one change."""
    session.flush()
    query = update(Verification).where(
        Verification.contact_id == contact.id, Verification.closed_at.is_(None)
    )
    if way is not None:
        query = query.where(Verification.way == way)
    if change is not None:
        query = query.where(Verification.change_id == change.id)
    session.execute(query.values(closed_at=now).execution_options(synchronize_session="fetch"))


def _to_verify(
    session: Session, actor: Actor, contact_id: UUID, way: str, now: datetime
) -> tuple[Contact, Need]:
    """The contact, locked, and what of it is to be verified."""
    demand(actor, Verb.MANAGE_CONTACTS)
    contact = contact_scope.find(session, actor, contact_id)
    if way not in WAYS:
        raise NotFound
    contact_scope.lock(session, contact)
    if contact.removed_at is not None:
        raise AlreadyDone(contact_scope.GONE)
    need = needs(session, contact, now).get(way)
    if need is None:
        raise InvalidTransition("This is verified already. Nothing was done.")
    return contact, need


def _open(
    session: Session,
    contact: Contact,
    way: str,
    value: str,
    change: ContactChange | None,
    now: datetime,
) -> Verification | None:
    return session.scalars(
        select(Verification)
        .where(
            Verification.contact_id == contact.id,
            Verification.way == way,
            Verification.value == value,
            Verification.change_id.is_not_distinct_from(change.id if change else None),
            Verification.closed_at.is_(None),
            Verification.expires_at > now,
        )
        .order_by(Verification.sent_at.desc(), Verification.id.desc())
        .execution_options(populate_existing=True)
        .limit(1)
    ).one_or_none()


def _callable(actor: Actor, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Numbers whose code can be read out by the actor's contact point.

    A provider's by every authority that a memorandum binds to it; where none does, by any.
    """
    bound = and_(Memorandum.provider_id == Contact.provider_id, binding.binds(now))
    ours = exists().where(bound, Memorandum.authority_id == actor.authority_id)
    return (
        Verification.way == PHONE,
        Verification.closed_at.is_(None),
        Verification.expires_at > now,
        Contact.removed_at.is_(None),
        or_(
            Contact.authority_id == actor.authority_id,
            and_(Contact.provider_id.is_not(None), or_(ours, ~exists().where(bound))),
        ),
    )


def _new_code() -> str:
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def _fits(vault: Vault, row: Verification, typed: str) -> bool:
    given = re.sub(r"[\s-]", "", typed[:40])
    return hmac.compare_digest(
        given.encode("utf-8", "replace"), vault.open(row.sealed_code).encode()
    )


def _write(
    session: Session, vault: Vault, contact: Contact, row: Verification, code: str, now: datetime
) -> None:
    params = {
        "name": contact.name,
        "organisation": contact_scope.of(session, contact).name,
        "until": row.expires_at.isoformat(),
        "path": f"/contacts/{contact.id}/verify/{EMAIL}",
    }
    key = f"contact_code:{row.id}"
    outbox.queue_letter(
        session, row.value, "register/contact_code", params, key, now, sealed_link=vault.seal(code)
    )


def _note(
    session: Session,
    actor: Actor,
    contact: Contact,
    type_: str,
    data: Mapping[str, Any],
    now: datetime,
) -> None:
    told = {"contact": str(contact.id), "name": contact.name, **data, **portal_log.by(actor)}
    where = (
        f"authority:{contact.authority_id}"
        if contact.authority_id is not None
        else f"provider:{contact.provider_id}"
    )
    portal_log.note(session, now, type_, actor.id, where, told)
