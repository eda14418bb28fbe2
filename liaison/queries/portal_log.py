"""The portal's log, for auditors: sign-ins and failures, changes of people, keys and factors.

An auditor reads what concerns their own authority, every provider (the contact point keeps the
register) and the portal itself; never another authority.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.vocabulary import Term
from liaison.models import ApiKey, Entry, Person
from liaison.services.ledger import PORTAL

COPY = '"copy":true'
"""Stands in the data of an entry that the provider has beside the authority's own."""

PAGE = 100
MOST_FOUND = 50
"""People whose name or address fits what was typed; who finds more types more of it."""


class Group(Term):
    """Kinds of entries, to choose from."""

    SIGN_INS = "sign-ins", "Sign-ins", "In, out, refused, ended."
    PEOPLE = "people", "People", "Invited, enrolled, disabled, roles, reviews of their orders."
    FACTORS = "factors", "Passwords and factors", "Added, removed, reset, switched off."
    KEYS = "keys", "API keys", "Made, rolled over, revoked; programs that fell silent."
    WEBHOOKS = "webhooks", "Webhooks", "Added, changed, rolled over, disabled, removed, tried."
    MEMORANDA = "memoranda", "Memoranda", "Drafted, changed, signed, agreed, ended."
    DRILLS = "drills", "Drills", "Planned, taken back."
    DUTY = "duty", "Duty", "Rotas, who stood in, exchanges, calendars."
    CONTACTS = "contacts", "Contacts", "Entered, changed, stopped, verified, reviewed."
    REGISTER = "register", "Register", "Authorities and providers: entered and changed."
    DESK = "desk", "Desk", "Hand-overs; lists of orders taken away."
    LETTERS = "letters", "Letters", "Those that did not arrive."
    WATCH = "watch", "Watch", "Canaries that were lost; a worker that was behind."


TYPES: Mapping[Group, tuple[str, ...]] = {
    Group.SIGN_INS: (
        "portal.signed_in",
        "portal.sign_in_refused",
        "portal.signed_out",
        "portal.session_ended",
        "portal.step_up_refused",
    ),
    Group.PEOPLE: (
        "portal.invited",
        "portal.invitation_revoked",
        "portal.enrolled",
        "portal.disabled",
        "portal.enabled",
        "portal.roles_changed",
        "portal.policy_changed",
        "portal.review_decided",
    ),
    Group.FACTORS: (
        "portal.password_changed",
        "portal.factor_added",
        "portal.factor_removed",
        "portal.recovery_codes_made",
        "portal.recovery_code_used",
        "portal.reset_asked",
        "portal.reset_confirmed",
        "portal.reset_cancelled",
        "portal.reset_link_sent",
        "portal.reset_done",
        "portal.factor_switched_off",
        "portal.factor_switched_on",
    ),
    Group.KEYS: (
        "portal.key_made",
        "portal.key_rolled",
        "portal.key_revoked",
        "portal.key_expected",
        "portal.key_silent",
        "portal.key_back",
    ),
    Group.WEBHOOKS: (
        "portal.webhook_made",
        "portal.webhook_changed",
        "portal.webhook_rolled",
        "portal.webhook_disabled",
        "portal.webhook_enabled",
        "portal.webhook_removed",
        "portal.webhook_given_up",
        "portal.webhook_tested",
        "portal.webhook_replayed",
    ),
    Group.MEMORANDA: (
        "portal.memorandum_drafted",
        "portal.memorandum_changed",
        "portal.memorandum_signed",
        "portal.memorandum_agreed",
        "portal.memorandum_discarded",
        "portal.memorandum_ended",
    ),
    Group.DUTY: (
        "portal.rota_made",
        "portal.rota_changed",
        "portal.rota_ended",
        "portal.duty_override_made",
        "portal.duty_override_cancelled",
        "portal.duty_swapped",
        "portal.duty_feed_made",
        "portal.duty_feed_revoked",
        "portal.duty_imported",
    ),
    Group.DRILLS: ("portal.drill_planned", "portal.drill_cancelled"),
    Group.CONTACTS: (
        "portal.contact_entered",
        "portal.contact_change_asked",
        "portal.contact_removal_asked",
        "portal.contact_changed",
        "portal.contact_removed",
        "portal.contact_change_stopped",
        "portal.contact_entry_stopped",
        "portal.contact_reviewed",
        "portal.contact_code_asked",
        "portal.contact_called",
        "portal.contact_wrong_number",
        "portal.contact_code_refused",
        "portal.contact_verified",
    ),
    Group.REGISTER: (
        "portal.provider_registered",
        "portal.provider_changed",
        "portal.authority_registered",
        "portal.authority_changed",
        "portal.register_import_checked",
        "portal.register_import_confirmed",
        "portal.register_import_discarded",
        "portal.register_import_done",
        "portal.register_import_failed",
        "portal.rule_registered",
        "portal.rule_changed",
        "portal.rule_removed",
    ),
    Group.DESK: (
        "portal.hand_over_given",
        "portal.hand_over_taken",
        "portal.hand_over_cancelled",
        "portal.orders_exported",
    ),
    Group.LETTERS: (
        "portal.letter_failed",
        "portal.letter_retried",
        "portal.letter_settled",
    ),
    Group.WATCH: (
        "portal.worker_late",
        "portal.worker_caught_up",
        "portal.canary_lost",
        "portal.canary_back",
        "portal.mailbox_unread",
        "portal.mailbox_read",
    ),
}


@dataclass(frozen=True)
class Sought:
    """What a reader narrows the log down to; days are in UTC, both included."""

    person: str = ""
    group: Group | None = None
    since: date | None = None
    until: date | None = None
    before: int | None = None
    """Entries older than this one: the page's place."""


@dataclass(frozen=True)
class Line:
    """One entry. ``subject`` is the person or key it is about, as it is called today."""

    seq: int
    at: datetime
    type: str
    who: str
    organisation: str
    subject: str
    address: str
    factor: str
    data: dict[str, Any]
    hash: str


@dataclass(frozen=True)
class Page:
    """Lines, newest first; ``older`` is the place of the next page, if there is one."""

    lines: list[Line]
    older: int | None


def page(session: Session, actor: Actor, sought: Sought) -> Page:
    """A page of the log; a constant number of queries."""
    demand(actor, Verb.READ_PORTAL_LOG)
    found = _entries(session, actor, sought, PAGE + 1)
    lines = _lines(session, actor, found[:PAGE])
    return Page(lines, found[PAGE - 1].seq if len(found) > PAGE else None)


def everything(session: Session, actor: Actor, sought: Sought) -> Iterator[Line]:
    """Every line that fits, newest first, for a file; read in parts, never all at once."""
    demand(actor, Verb.READ_PORTAL_LOG)
    demand(actor, Verb.EXPORT)
    before = sought.before
    while True:
        part = Sought(sought.person, sought.group, sought.since, sought.until, before)
        found = _entries(session, actor, part, 10 * PAGE)
        yield from _lines(session, actor, found)
        if len(found) < 10 * PAGE:
            return
        before = found[-1].seq
        session.expunge_all()


def _entries(session: Session, actor: Actor, sought: Sought, limit: int) -> list[Entry]:
    # The other side's copy of what two organisations agreed is theirs alone: the one that is
    # ours stands beside it, and that of two others is nobody else's.
    copy = Entry.data.like(f"%{COPY}%")
    query = select(Entry).where(
        Entry.stream == PORTAL, _likely(actor), ~copy, *_narrowed(session, sought)
    )
    return list(session.scalars(query.order_by(Entry.seq.desc()).limit(limit)))


def _likely(actor: Actor) -> ColumnElement[bool]:
    """Entries the actor may read, found by their text; ``_may_read`` has the last word.

    Data are canonical JSON with their keys in order: unlike the one in ``by``, the organisation
    of the entry itself is followed by another key or ends the text.
    """
    owners = (f"authority:{actor.authority_id}", f"provider:{'_' * 36}", PORTAL)
    return or_(
        *(
            Entry.data.like(f'%"organisation":"{owner}{end}')
            for owner in owners
            for end in ('",%', '"}')
        )
    )


def _may_read(actor: Actor, organisation: object) -> bool:
    owner = str(organisation)
    return owner in (f"authority:{actor.authority_id}", PORTAL) or owner.startswith("provider:")


def _narrowed(session: Session, sought: Sought) -> Iterator[ColumnElement[bool]]:
    if sought.before is not None:
        yield Entry.seq < sought.before
    if sought.group is not None:
        yield Entry.type.in_(TYPES[sought.group])
    if sought.since is not None:
        yield Entry.at >= datetime.combine(sought.since, time(), UTC)
    if sought.until is not None and sought.until < date.max:
        yield Entry.at < datetime.combine(sought.until + timedelta(days=1), time(), UTC)
    if sought.person:
        yield or_(false(), *(_about(found) for found in _people(session, sought.person)))


def _about(person_id: UUID) -> ColumnElement[bool]:
    """What a person did, and what was done about them."""
    return or_(Entry.actor == f"person:{person_id}", Entry.data.like(f'%"person":"{person_id}"%'))


def _people(session: Session, text: str) -> list[UUID]:
    wanted = text.strip().lower()
    query = select(Person.id).where(
        or_(
            func.lower(Person.name).contains(wanted, autoescape=True),
            func.lower(Person.email).contains(wanted, autoescape=True),
        )
    )
    return list(session.scalars(query.order_by(Person.id).limit(MOST_FOUND)))


def _lines(session: Session, actor: Actor, entries: list[Entry]) -> list[Line]:
    told = [(entry, json.loads(entry.data)) for entry in entries if entry.data is not None]
    seen = [(e, data) for e, data in told if _may_read(actor, data.get("organisation"))]
    names = _names(session, [data for _, data in seen])
    return [_line(entry, data, names) for entry, data in seen]


def _line(entry: Entry, data: dict[str, Any], names: Mapping[str, str]) -> Line:
    by, via = data.get("by") or {}, data.get("via") or {}
    person, key = str(data.get("person")), str(data.get("key"))
    return Line(
        seq=entry.seq,
        at=entry.at,
        type=entry.type,
        who=by.get("name") or names.get(entry.actor.removeprefix("person:"), ""),
        organisation=by.get("organisation", ""),
        subject=names.get(key) or names.get(person) or str(data.get("name") or ""),
        address=via.get("address") or "",
        factor=via.get("factor") or "",
        data=data,
        hash=entry.hash,
    )


def _names(session: Session, told: list[dict[str, Any]]) -> dict[str, str]:
    """How the people and keys of a page are called, by id: two queries, whatever its length."""
    names: dict[str, str] = {}
    people = {found for data in told if (found := _id(data.get("person")))}
    keys = {found for data in told if (found := _id(data.get("key")))}
    for person in session.execute(select(Person.id, Person.name).where(Person.id.in_(people))):
        names[str(person.id)] = person.name
    for key in session.execute(select(ApiKey.id, ApiKey.name).where(ApiKey.id.in_(keys))):
        names[str(key.id)] = key.name
    return names


def _id(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
