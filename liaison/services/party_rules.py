"""Keeping the rules of the Parties: help beside foreign orders, entered by administrators."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.party_rule import RuleEntry, read_rule
from liaison.domain.permissions import Verb, demand
from liaison.errors import FieldError, Invalid, NotFound, Stale
from liaison.models import PartyRule
from liaison.services import guards, portal_log


class RuleChanged(Stale):
    """Somebody else wrote the rule meanwhile."""

    title = "The rule changed in the meantime"


def register(session: Session, actor: Actor, data: object, now: datetime) -> PartyRule:
    """A new rule. One that was removed and has the same name comes back in the new wording."""
    demand(actor, Verb.MANAGE_RULES)
    guards.fresh_factor(actor, now)
    entry = read_rule(data, now.date())
    taken = _named(session, entry.name)
    if taken is not None and taken.removed_at is None:
        raise Invalid([_taken(taken)])
    row = taken or PartyRule()
    _write(row, entry, actor, now)
    row.removed_at = None
    session.add(row)
    _flush(session)
    _note(session, now, "rule_registered", actor, row, {"values": _told(entry)})
    return row


def change(
    session: Session, actor: Actor, rule_id: UUID, data: object, seen: str, now: datetime
) -> PartyRule:
    """A rule in other words. ``seen``: when the version that was read had been written."""
    demand(actor, Verb.MANAGE_RULES)
    row = _to_change(session, rule_id)
    guards.fresh_factor(actor, now)
    entry = read_rule(data, now.date())
    taken = _named(session, entry.name)
    if taken is not None and taken.id != row.id:
        raise Invalid([_taken(taken)])
    if seen != version(row):
        raise RuleChanged(
            f"{row.changed_by} changed this rule at {rfc3339(row.changed_at)}. Nothing was done. "
            "Read it again, then decide."
        )
    before = _told_of(row)
    _write(row, entry, actor, now)
    _flush(session)
    after = _told(entry)
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    _note(session, now, "rule_changed", actor, row, {"changes": changed})
    return row


def remove(session: Session, actor: Actor, rule_id: UUID, now: datetime) -> PartyRule:
    """Shows a rule no more. The row stays: the log names it."""
    demand(actor, Verb.MANAGE_RULES)
    row = _to_change(session, rule_id)
    guards.fresh_factor(actor, now)
    row.removed_at = row.changed_at = now
    row.changed_by = actor.name
    session.flush()
    _note(session, now, "rule_removed", actor, row, {"values": _told_of(row)})
    return row


def version(row: PartyRule) -> str:
    """What a form carries to tell which wording it was opened with."""
    return row.changed_at.isoformat()


def _to_change(session: Session, rule_id: UUID) -> PartyRule:
    query = select(PartyRule).where(PartyRule.id == rule_id).with_for_update()
    row = session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    if row is None or row.removed_at is not None:
        raise NotFound
    return row


def _named(session: Session, name: str) -> PartyRule | None:
    query = select(PartyRule).where(PartyRule.name == name).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def _flush(session: Session) -> None:
    """Of two who give one name at once the second is told so."""
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        detail = "Somebody gave a rule this name just now. Read the list, then decide."
        raise Invalid([FieldError("/name", detail)]) from None


def _taken(row: PartyRule) -> FieldError:
    state = "There is a rule" if row.removed_at is None else "There was a rule, now removed,"
    return FieldError("/name", f"{state} of this name. Change that one, or choose another name.")


def _write(row: PartyRule, entry: RuleEntry, actor: Actor, now: datetime) -> None:
    for name, value in asdict(entry).items():
        setattr(row, name, list(value) if name == "countries" else value)
    row.changed_by, row.changed_at = actor.name, now


def _told(entry: RuleEntry) -> dict[str, Any]:
    """The values as the log keeps them."""
    told = {**asdict(entry), "countries": list(entry.countries)}
    return {**told, "review_on": entry.review_on.isoformat()}


def _told_of(row: PartyRule) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in RuleEntry.__dataclass_fields__}
    return {**told, "review_on": row.review_on.isoformat()}


def _note(
    session: Session,
    now: datetime,
    type_: str,
    actor: Actor,
    row: PartyRule,
    told: dict[str, Any],
) -> None:
    data = {"rule": str(row.id), "name": row.name, **told, **portal_log.by(actor)}
    whose = portal_log.organisation_of_actor(actor)
    portal_log.note(session, now, type_, actor.id, whose, data)
