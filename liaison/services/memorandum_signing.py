"""Signing a memorandum and ending one: acts of both sides, each with a fresh factor.

Both sign one text: the SHA-256 that each saw is stored with the signature. Once the second side
has signed, nothing is changed any more but the end. Its first day must not have passed then: a
memorandum binds nobody backwards. A newer one takes the older one's place from its own first day.
"""

from __future__ import annotations

import hmac
from datetime import UTC, date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.vocabulary import MemorandumState, Side
from liaison.errors import FieldError, Invalid
from liaison.models import Memorandum, Signature
from liaison.queries import memoranda as queries
from liaison.services import contact_scope, guards, memoranda
from liaison.services import memorandum_letters as letters
from liaison.services.memoranda import NotNow, Overtaken
from liaison.services.organisations import AlreadyDone


def sign(
    session: Session, actor: Actor, memorandum_id: UUID, sha256: str, edit: int, now: datetime
) -> Memorandum:
    """Signs a draft for the actor's side; the second side's signature makes it agreed.

    ``sha256`` is of the text that the actor saw. Refused while its dates or ladders stand in the
    way (``queries.memoranda.obstacles``).
    """
    demand(actor, Verb.AGREE_MEMORANDA)
    # Absent is said before a factor is asked for.
    found = queries.find(session, actor, memorandum_id)
    guards.fresh_factor(actor, now)
    _hold_both(session, found)
    row = memoranda.to_write(session, actor, memorandum_id, edit)
    current = queries.sha256(session, row)
    if not hmac.compare_digest(current.encode(), sha256.strip().lower().encode()):
        raise Overtaken(
            "This is not the text you were shown. Nothing was signed. Read it again, then decide."
        )
    side = letters.side_of(actor)
    voided = _void_of_those_who_left(session, row, now)
    if any(signature.side is side for signature in row.standing):
        raise AlreadyDone("Your side has signed this text already. Nothing was done.")
    hidden = queries.hides(session, actor, row)
    if faults := queries.obstacles(session, row, now, hidden=hidden):
        raise Invalid(faults)
    assert actor.person_id is not None and actor.via is not None, "a person signs, with a factor"
    signature = Signature(
        memorandum_id=row.id,
        side=side,
        person_id=actor.person_id,
        name=actor.name,
        factor=actor.via.factor,
        signed_at=now,
        sha256=current,
    )
    row.signatures.append(signature)
    memoranda.takes_part(row, side)
    session.flush()
    if {s.side for s in row.standing} == set(Side):
        _agree(session, actor, row, current, now)
    else:
        gone = ", ".join(one.name for one in voided if one.side is not side)
        told = {"by": f"{actor.name}, {actor.organisation}", "gone": gone}
        reason = f"{row.edit}:{signature.id}"
        letters.tell(session, row, [letters.other(side)], "memorandum_signed", told, reason, now)
        data = {"sha256": current, "side": side.value, "voided": [one.name for one in voided]}
        letters.note(session, actor, row, "memorandum_signed", data, now)
    return row


def end(
    session: Session,
    actor: Actor,
    memorandum_id: UUID,
    last_day: date | None,
    reason: str,
    now: datetime,
) -> Memorandum:
    """Sets the last day of an agreed memorandum: today at the earliest, never after its end.

    Either side may, alone. Orders under way keep the terms they were issued under. Ended before
    its first day, it never comes into force and takes no older one's place.
    """
    demand(actor, Verb.AGREE_MEMORANDA)
    queries.find(session, actor, memorandum_id)
    guards.fresh_factor(actor, now)
    row = queries.find(session, actor, memorandum_id, lock=True)
    today = now.astimezone(UTC).date()
    standing = queries.row(session, row, today).standing
    if standing not in (queries.Standing.IN_FORCE, queries.Standing.TO_COME):
        raise NotNow(
            f"{row.reference}, version {row.version}: {standing.label.lower()}. There is nothing "
            "to end. Nothing was done."
        )
    last_day = _checked_end(row, last_day, reason, today)
    before = row.in_force_to
    row.in_force_to, row.ended_why = last_day, reason.strip()
    row.ended_by, row.ended_at = f"{actor.name}, {actor.organisation}", now
    session.flush()
    told = {"by": row.ended_by, "last": letters.day_words(last_day)}
    letters.tell(session, row, Side, "memorandum_ended", told, last_day.isoformat(), now)
    data = {
        "last_day": last_day.isoformat(),
        "before": before.isoformat() if before else None,
        "reason": row.ended_why,
    }
    letters.note(session, actor, row, "memorandum_ended", data, now)
    return row


def _hold_both(session: Session, row: Memorandum) -> None:
    """Contacts and people of both sides stay as they are until this act is done.

    Organisations are held before a memorandum, everywhere, and the authority first.
    """
    contact_scope.hold(session, row.authority)
    contact_scope.hold(session, row.provider)
    session.expire_all()


def _void_of_those_who_left(session: Session, row: Memorandum, now: datetime) -> list[Signature]:
    """Voids what was signed by somebody who could not sign any more; what was voided.

    Their side signs again: who has lost access, or the role, agrees on nothing afterwards.
    """
    can = {side: {one.id for one in letters.signers(session, row, side)} for side in Side}
    gone = [one for one in row.standing if one.person_id not in can[one.side]]
    for one in gone:
        one.voided_at = now
    return gone


def _agree(session: Session, actor: Actor, row: Memorandum, sha256: str, now: datetime) -> None:
    assert all(signature.sha256 == sha256 for signature in row.standing), "both sign one text"
    row.state = MemorandumState.AGREED
    row.signed_on = now.astimezone(UTC).date()
    session.flush()
    told = {"first": letters.day_words(row.in_force_from), "sha256": sha256}
    letters.tell(session, row, Side, "memorandum_agreed", told, "", now)
    side = letters.side_of(actor).value
    letters.note(session, actor, row, "memorandum_signed", {"sha256": sha256, "side": side}, now)
    data = {"sha256": sha256, "in_force_from": row.in_force_from.isoformat()}
    letters.note(session, actor, row, "memorandum_agreed", data, now)


def _checked_end(row: Memorandum, last_day: date | None, reason: str, today: date) -> date:
    check_texts(("/reason", reason, LONGEST_REASON))
    faults = []
    if last_day is None:
        faults.append(FieldError("/last_day", "Enter the last day in force, like 2026-12-31."))
    elif last_day < today:
        detail = f"Choose today, {today}, or a later day: orders were issued under it until now."
        faults.append(FieldError("/last_day", detail))
    elif row.in_force_to is not None and last_day >= row.in_force_to:
        detail = f"It ends on {row.in_force_to} anyway: choose an earlier day, or agree a version."
        faults.append(FieldError("/last_day", detail))
    if not reason.strip():
        faults.append(FieldError("/reason", "Say why: the other side reads it."))
    if faults:
        raise Invalid(faults)
    assert last_day is not None
    return last_day
