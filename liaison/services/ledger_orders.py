"""What orders say must stand in the ledger, and does not.

An act changes its order and appends its entries in one transaction. So each statement here, which
sees one state of the database, finds for every fact of an order the entry that came with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from liaison.domain.lifecycle import OrderState
from liaison.models import Doubt, Entry, Extension, Order, OrderNote, Route, ThreadMessage, Timer
from liaison.models.work import TimerKind
from liaison.queries.latest import ATTRIBUTION
from liaison.services import ledger_facts
from liaison.services.ledger import authority_stream, provider_stream

_PROVIDER, _AUTHORITY = "provider:", "authority:"


@dataclass(frozen=True)
class Missing:
    """An entry that an order needs and its stream has not."""

    stream: str
    order: str
    reason: str


@dataclass(frozen=True)
class _Rule:
    """Orders of which ``fact`` is true need one of these entries."""

    fact: ColumnElement[bool]
    types: tuple[str, ...]
    shared: bool = True
    """In the provider's stream; else in the authority's."""


_SERVED = Order.ref.is_not(None)


def _has(rows: type[ThreadMessage] | type[OrderNote]) -> ColumnElement[bool]:
    return select(rows.id).where(rows.order_id == Order.id).exists()


def _vouched() -> ColumnElement[bool]:
    return exists().where(Doubt.order_id == Order.id, Doubt.vouched_at.is_not(None))


def _extended() -> ColumnElement[bool]:
    return exists().where(Extension.order_id == Order.id, Extension.confirmed_at.is_not(None))


def _routed(followed: bool) -> ColumnElement[bool]:
    made = Route.followed_at.is_not(None) if followed else true()
    return exists().where(Route.order_id == Order.id, made)


def _paged() -> ColumnElement[bool]:
    """A second page is planned by the act that says the time has passed, and by no other."""
    return exists().where(
        Timer.order_id == Order.id,
        Timer.kind == TimerKind.RATIFICATION,
        Timer.key.not_like("%:0"),
    )


_RULES = (
    _Rule(true(), ("order.drafted",), shared=False),
    _Rule(Order.submitted_at.is_not(None), ("order.submitted",), shared=False),
    _Rule(Order.returned_note.is_not(None), ("order.returned",), shared=False),
    _Rule(_SERVED, ("order.issued",)),
    _Rule(Order.authorised_by_id.is_not(None), ("order.authorised",), shared=False),
    _Rule(Order.ratified_at.is_not(None), ("order.ratified",)),
    _Rule(_paged(), ("order.ratification_overdue",)),
    _Rule(Order.fetched_at.is_not(None), ("order.fetched",)),
    _Rule(Order.acknowledged_at.is_not(None), ("order.acknowledged", "order.preserved")),
    _Rule(
        Order.state.in_(
            [
                OrderState.PRESERVED,
                OrderState.RELEASED,
                OrderState.EXPIRED,
                OrderState.DISPOSED,
            ]
        ),
        ("order.preserved",),
    ),
    _Rule(Order.state == OrderState.DECLINED, ("order.declined",)),
    _Rule(_routed(followed=False), ("order.route_reported",)),
    _Rule(_routed(followed=True), ("order.followed_on",), shared=False),
    _Rule(and_(Order.state == OrderState.WITHDRAWN, _SERVED), ("order.withdrawn",)),
    _Rule(
        and_(Order.state == OrderState.WITHDRAWN, ~_SERVED),
        ("order.discarded",),
        shared=False,
    ),
    _Rule(Order.extension_asked_at.is_not(None), ("order.extension_requested",)),
    _Rule(_extended(), ("order.extended",)),
    _Rule(Order.mla_recorded_at.is_not(None), ("order.mla_recorded",)),
    _Rule(Order.state == OrderState.RELEASED, ("order.released",)),
    _Rule(Order.state == OrderState.EXPIRED, ("order.expired",)),
    _Rule(_has(ThreadMessage), ("order.message",)),
    _Rule(_has(OrderNote), ("order.noted",), shared=False),
    _Rule(Order.state == OrderState.DISPOSED, ("order.released", "order.expired")),
    _Rule(Order.disposed_at.is_not(None), ("order.disposed",)),
    _Rule(Order.doubt_open_since.is_not(None), ("order.doubted",)),
    _Rule(Order.ladder_closed_at.is_not(None), ("order.ladder_closed",), shared=False),
    _Rule(Order.ladder_paused_at.is_not(None), ("order.ladder_paused",), shared=False),
    _Rule(_vouched(), ("order.vouched",)),
)
"""In the order of an order's life: of each order and stream the first that fails is told."""


def missing(session: Session) -> Iterator[Missing]:
    """Once for each order and stream that lacks an entry, or whose rows say something else."""
    told: set[tuple[str, str]] = set()
    for one in [*_without_entry(session), *_without_twin(session), *_unlike(session)]:
        if (one.stream, one.order) not in told:
            told.add((one.stream, one.order))
            yield one


def _without_entry(session: Session) -> Iterator[Missing]:
    lacking = union_all(*(_failing(number, rule) for number, rule in enumerate(_RULES)))
    for number, ref, id_, provider_id, authority_id in sorted(session.execute(lacking).all()):
        rule = _RULES[number]
        home = provider_stream(provider_id) if rule.shared else authority_stream(authority_id)
        reason = f"its {' or '.join(rule.types)} is missing"
        yield Missing(home, _name(ref, id_), reason)


def _failing(number: int, rule: _Rule) -> Select[int, str, UUID, UUID, UUID]:
    stream = (
        _stream(_PROVIDER, Order.provider_id)
        if rule.shared
        else _stream(_AUTHORITY, Order.authority_id)
    )
    entry = (
        select(Entry.seq)
        .where(
            Entry.order_id == Order.id,
            Entry.type.in_(rule.types),
            _plain(Entry.stream) == stream,
        )
        .exists()
    )
    # No ref sorts before every ref.
    ref = func.coalesce(Order.ref, "")
    return select(literal(number), ref, Order.id, Order.provider_id, Order.authority_id).where(
        rule.fact, ~entry
    )


def _without_twin(session: Session) -> Iterator[Missing]:
    """Acts that only the authority's stream knows of: both entries were written as one.

    They are counted, for an officer may write two messages at one moment.
    """
    own, shared = _attributed(), _shared()
    lacking = (
        select(Order.ref, own.c.order_id, Order.provider_id, own.c.stream, func.min(own.c.seq))
        .select_from(own)
        .outerjoin(Order, Order.id == own.c.order_id)
        .outerjoin(shared, _is_twin(own, shared))
        .where(or_(shared.c.number.is_(None), shared.c.number < own.c.number))
        .group_by(Order.ref, own.c.order_id, Order.provider_id, own.c.stream)
        .order_by(own.c.stream, func.min(own.c.seq))
    )
    for ref, id_, provider_id, stream, seq in session.execute(lacking):
        if provider_id is None:
            yield Missing(stream, _name(ref, id_), f"it is gone, and entry {seq} tells of it")
            continue
        reason = f"the act that entry {seq} of {stream} attributes is missing"
        yield Missing(provider_stream(provider_id), _name(ref, id_), reason)


def _unlike(session: Session) -> Iterator[Missing]:
    """Messages, reports, doubts and the rest that their entries do not bear out."""
    found = list(ledger_facts.faults(session))
    places = ledger_facts.places(session, found) if found else {}
    for fault in found:
        if fault.order_id not in places:
            continue  # the order is gone: that is told of already
        ref, provider_id, authority_id = places[fault.order_id]
        home = provider_stream(provider_id) if fault.shared else authority_stream(authority_id)
        yield Missing(home, _name(ref, fault.order_id), fault.reason)


def _attributed() -> FromClause:
    # What was erased names no act any more.
    what = (Entry.stream, Entry.order_id, Entry.actor, Entry.at, Entry.data)
    return (
        select(*what, func.min(Entry.seq).label("seq"), func.count().label("number"))
        .where(Entry.type == ATTRIBUTION, Entry.data.is_not(None))
        .group_by(*what)
        .subquery("own")
    )


def _shared() -> FromClause:
    what = (Entry.stream, Entry.order_id, Entry.actor, Entry.at, Entry.type)
    return (
        select(*what, func.count().label("number"))
        .where(Entry.stream.startswith(_PROVIDER), Entry.order_id.is_not(None))
        .group_by(*what)
        .subquery("shared")
    )


def _is_twin(own: FromClause, shared: FromClause) -> ColumnElement[bool]:
    # The data are canonical JSON, and "act" is the first of its names.
    begins = literal('{"act":"', Text) + shared.c.type + literal('",', Text)
    return and_(
        shared.c.order_id == own.c.order_id,
        shared.c.actor == own.c.actor,
        shared.c.at == own.c.at,
        func.substr(own.c.data, 1, func.length(begins)) == begins,
        _plain(shared.c.stream) == _stream(_PROVIDER, Order.provider_id),
    )


def _stream(prefix: str, id_: Any) -> ColumnElement[str]:
    return literal(prefix, Text) + _plain(cast(id_, Text))


def _plain(text: Any) -> ColumnElement[str]:
    """Without hyphens: one database writes ids with them, the other without."""
    return func.replace(text, "-", "", type_=Text)


def _name(ref: str | None, id_: UUID) -> str:
    return ref or str(id_)
