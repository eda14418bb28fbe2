"""Memoranda as drafts: begun by either side, written by both, until both have signed one text."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain import memorandum_entry, terms_defaults
from liaison.domain.actors import Actor
from liaison.domain.ladder import Ladder, ladder_json
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_REFERENCE, check_texts
from liaison.domain.terms import terms_from_json, terms_json
from liaison.domain.vocabulary import MemorandumState, Side, Status, Urgency
from liaison.errors import FieldError, Invalid, InvalidTransition, Stale
from liaison.models import Authority, Memorandum, MemorandumDocument, Provider
from liaison.queries import memoranda as queries
from liaison.services import memorandum_letters as letters

LARGEST_DOCUMENT = 10 * 1024 * 1024
"""Bytes."""


class Overtaken(Stale):
    """The memorandum is another than the one that was read."""

    title = "The memorandum changed in the meantime"


class NotNow(InvalidTransition):
    """Where the memorandum stands does not allow it."""

    title = "The memorandum does not allow this now"


def draft(session: Session, actor: Actor, data: Mapping[str, Any], now: datetime) -> Memorandum:
    """Begins a draft with the other side: ``provider_id`` or ``authority_id`` in ``data``.

    ``reference`` names a new memorandum, or one of the two's: that gets its next version, with
    the terms and ladders of the newest agreed one. Without it the newest agreed one is continued.
    Two organisations have one open draft between them. Numbers of versions are never used twice.
    """
    demand(actor, Verb.AGREE_MEMORANDA)
    authority, provider = _parties(session, actor, data)
    reference = _text(data.get("reference"))
    fault = memorandum_entry.reference_fault(reference) if reference else None
    if fault:
        raise Invalid([FieldError("/reference", fault)])
    _demand_no_draft(session, authority, provider)
    row = Memorandum(authority_id=authority.id, provider_id=provider.id)
    agreed = queries.of_pair(session, row)
    base = next((m for m in agreed if not reference or m.reference == reference), None)
    row.reference = reference or (base.reference if base else _first_reference(authority, provider))
    row.version = _next_version(session, row)
    row.state, row.signed_on = MemorandumState.DRAFT, None
    row.in_force_from = (now.astimezone(UTC) + timedelta(days=terms_defaults.DAYS_AHEAD)).date()
    row.in_force_to = None
    row.terms = base.terms if base else terms_json(terms_defaults.terms(tuple(provider.languages)))
    row.edit, row.sides = 1, [letters.side_of(actor).value]
    row.drafted_by = row.changed_by = _by(actor)
    row.drafted_at = row.changed_at = now
    session.add(row)
    session.flush()
    across = letters.other(letters.side_of(actor))
    by = {"by": _by(actor)}
    letters.tell(session, row, [across], "memorandum_drafted", by, "", now, daily=True)
    told = {"continues": base.version if base else None}
    letters.note(session, actor, row, "memorandum_drafted", told, now)
    return row


def write(
    session: Session,
    actor: Actor,
    memorandum_id: UUID,
    data: Mapping[str, Any],
    edit: int,
    now: datetime,
) -> Memorandum:
    """Writes reference, dates and terms of a draft; its ladders stay as they are.

    What was signed before counts no longer, unless nothing was changed.
    """
    row = to_write(session, actor, memorandum_id, edit)
    entry = memorandum_entry.read(data, terms_from_json(row.terms).ladders)
    before = queries.sha256(session, row)
    if entry.reference != row.reference:
        row.reference = entry.reference
        row.version = _next_version(session, row)
    row.in_force_from, row.in_force_to = entry.in_force_from, entry.in_force_to
    row.terms = terms_json(entry.terms)
    return _changed(session, actor, row, before, "terms", now)


def set_ladder(
    session: Session,
    actor: Actor,
    memorandum_id: UUID,
    urgency: Urgency,
    ladder: Ladder,
    edit: int,
    now: datetime,
) -> Memorandum:
    """Puts another ladder in the place of one urgency's; signatures count no longer."""
    row = to_write(session, actor, memorandum_id, edit)
    _demand_of_parties(row, ladder, now)
    before = queries.sha256(session, row)
    ladders = {**row.terms["ladders"], urgency.value: ladder_json(ladder)}
    row.terms = {**row.terms, "ladders": ladders}
    return _changed(session, actor, row, before, f"the ladder for {urgency.label.lower()}", now)


def _demand_of_parties(row: Memorandum, ladder: Ladder, now: datetime) -> None:
    """``Invalid`` where a rung names somebody who is no contact of the two sides."""
    both = (*row.provider.contacts, *row.authority.contacts)
    known = {str(c.id) for c in both if c.removed_at is None or c.removed_at > now}
    faults = [
        FieldError(f"/rungs/{index}/contact", "Choose one of the two sides’ contacts.")
        for index, rung in enumerate(ladder.rungs)
        if rung.contact is not None and rung.contact not in known
    ]
    if faults:
        raise Invalid(faults)


def attach(
    session: Session,
    actor: Actor,
    memorandum_id: UUID,
    name: str,
    content: bytes,
    edit: int,
    now: datetime,
) -> Memorandum:
    """Keeps the document (PDF) with a draft, in the place of an earlier one."""
    row = to_write(session, actor, memorandum_id, edit)
    check_texts(("/document", name, LONGEST_REFERENCE))
    if not content.startswith(b"%PDF-"):
        raise Invalid([FieldError("/document", "Choose a PDF: this file is none.")])
    if len(content) > LARGEST_DOCUMENT:
        most = LARGEST_DOCUMENT // (1024 * 1024)
        raise Invalid([FieldError("/document", f"Choose a file of at most {most} MB.")])
    before = queries.sha256(session, row)
    document = row.document or MemorandumDocument(memorandum_id=row.id)
    document.name = name.strip() or "memorandum.pdf"
    document.sha256, document.size = hashlib.sha256(content).hexdigest(), len(content)
    document.content, document.uploaded_by, document.uploaded_at = content, _by(actor), now
    row.document = document
    session.flush()
    return _changed(session, actor, row, before, "the document", now)


def discard(
    session: Session, actor: Actor, memorandum_id: UUID, edit: int, now: datetime
) -> Memorandum:
    """Gives a draft up; either side may. Its number is not used again, its document is gone."""
    row = to_write(session, actor, memorandum_id, edit)
    row.state = MemorandumState.DISCARDED
    if row.document is not None:
        session.delete(row.document)
    row.changed_by, row.changed_at = _by(actor), now
    session.flush()
    across = letters.other(letters.side_of(actor))
    by = {"by": _by(actor)}
    letters.tell(session, row, [across], "memorandum_discarded", by, "", now, daily=True)
    letters.note(session, actor, row, "memorandum_discarded", {}, now)
    return row


def document_name(memorandum: Memorandum) -> str:
    """The name under which its document is downloaded: ours, not the one it came with."""
    reference = re.sub(r"[^A-Za-z0-9]+", "-", memorandum.reference).strip("-") or "liaison"
    return f"memorandum-{reference}-v{memorandum.version}.pdf"


def to_write(session: Session, actor: Actor, memorandum_id: UUID, edit: int) -> Memorandum:
    """The draft, locked, where the actor may change it and has read its newest text."""
    demand(actor, Verb.AGREE_MEMORANDA)
    row = queries.find(session, actor, memorandum_id, lock=True)
    demand_draft(row)
    if row.edit != edit:
        raise Overtaken(
            f"{row.changed_by} changed this draft since you read it. Nothing was done. "
            "Read it again, then decide."
        )
    return row


def takes_part(row: Memorandum, side: Side) -> None:
    """A side has written or signed a draft: from now on the other one reads whom it would call."""
    row.sides = sorted({*row.sides, side.value})


def demand_draft(row: Memorandum) -> None:
    """``NotNow`` unless it is a draft: nothing else is written or signed."""
    if row.state is MemorandumState.AGREED:
        raise NotNow(
            f"{row.reference}, version {row.version}, is no draft any more: what both sides "
            "signed is never changed. Begin its next version. Nothing was done."
        )
    if row.state is MemorandumState.DISCARDED:
        raise NotNow(
            f"The draft {row.reference}, version {row.version}, was discarded. Begin another. "
            "Nothing was done."
        )


def _changed(
    session: Session, actor: Actor, row: Memorandum, before: str, what: str, now: datetime
) -> Memorandum:
    """Counts the change, voids signatures, tells the other side; nothing where nothing changed."""
    session.flush()
    after = queries.sha256(session, row)
    if after == before:
        return row
    voided = row.standing
    for signature in voided:
        signature.voided_at = now
    row.edit += 1
    row.changed_by, row.changed_at = _by(actor), now
    side = letters.side_of(actor)
    takes_part(row, side)
    session.flush()
    told = {"by": _by(actor), "what": what, "voided": bool(voided)}
    # Once a day is enough for a draft that is being written; a voided signature is always told.
    reason = f"{side.value}:{row.edit}" if voided else f"{side.value}:{now.date()}"
    letters.tell(session, row, [letters.other(side)], "memorandum_changed", told, reason, now)
    data = {"what": what, "sha256": after, "voided": [s.name for s in voided]}
    letters.note(session, actor, row, "memorandum_changed", data, now)
    return row


def _parties(session: Session, actor: Actor, data: Mapping[str, Any]) -> tuple[Authority, Provider]:
    """Both sides. The provider is held, so that two drafts between them cannot begin at once."""
    authority_id = actor.authority_id or _id(data.get("authority_id"))
    provider_id = actor.provider_id or _id(data.get("provider_id"))
    authority = session.get(Authority, authority_id) if authority_id else None
    query = select(Provider).where(Provider.id == provider_id).with_for_update(key_share=True)
    provider = session.scalars(query).one_or_none() if provider_id else None
    if authority is None or (actor.is_provider and authority.status is not Status.ACTIVE):
        raise Invalid([FieldError("/authority_id", "Choose the contact point.")])
    if provider is None or (not actor.is_provider and provider.status is not Status.ACTIVE):
        raise Invalid([FieldError("/provider_id", "Choose the provider.")])
    return authority, provider


def _demand_no_draft(session: Session, authority: Authority, provider: Provider) -> None:
    open_one = session.scalars(
        select(Memorandum)
        .where(
            Memorandum.authority_id == authority.id,
            Memorandum.provider_id == provider.id,
            Memorandum.state == MemorandumState.DRAFT,
        )
        .limit(1)
    ).one_or_none()
    if open_one is not None:
        raise NotNow(
            f"There is an open draft between the two already: {open_one.reference}, version "
            f"{open_one.version}. Go on with it, or discard it first. Nothing was done."
        )


def _next_version(session: Session, row: Memorandum) -> int:
    with session.no_autoflush:
        known = session.scalars(
            select(Memorandum.version).where(
                Memorandum.authority_id == row.authority_id,
                Memorandum.provider_id == row.provider_id,
                Memorandum.reference == row.reference,
            )
        ).all()
    return max(known, default=0) + 1


def _first_reference(authority: Authority, provider: Provider) -> str:
    first = re.sub(r"[^A-Za-z0-9]", "", provider.name.split()[0]) or "1"
    return f"MoU-{authority.code}-{first}"


def _by(actor: Actor) -> str:
    return f"{actor.name}, {actor.organisation}"


def _text(given: object) -> str:
    return " ".join(given.split()) if isinstance(given, str) else ""


def _id(given: object) -> UUID | None:
    try:
        return UUID(str(given))
    except ValueError:
        return None
