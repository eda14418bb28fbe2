"""The check page: what would happen if the draft were issued now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.ladder import Climb, Step, outline
from liaison.domain.terms import (
    Deadlines,
    Terms,
    breaches,
    deadlines,
    not_issuer,
    terms_from_json,
)
from liaison.domain.vocabulary import DataCategory, Status
from liaison.errors import FieldError
from liaison.models import Memorandum, Order, PartyRule
from liaison.queries import office_hours, orders, party_rules, proposals, registry
from liaison.queries.proposals import Elsewhere
from liaison.queries.registry import Reached


@dataclass(frozen=True)
class Ruling:
    """What the memorandum says of a draft: its terms, or which of them stands in the way."""

    memorandum: Memorandum | None
    terms: Terms | None
    deadlines: Deadlines | None
    breaches: list[FieldError]


@dataclass(frozen=True)
class Preview:
    """What would be served: under which terms, by when to be answered, who would be called."""

    order: Order
    memorandum: Memorandum | None
    terms: Terms | None
    deadlines: Deadlines | None
    breaches: list[FieldError]
    """What the memorandum allows to nobody: the order can be neither submitted nor issued."""
    not_issuer: FieldError | None
    """Why the viewer is none of those who may issue or authorise; they may submit all the same."""
    steps: list[tuple[Step, list[Reached]]]
    """Whom each step of the ladder calls, by those of its ways that count there."""
    rules: list[PartyRule]
    """What the law of the Party that asks says, for information: nothing follows from it."""
    elsewhere: list[Elsewhere]
    """Targets that are registered for another provider than the chosen one: a hint, no more."""


def rule(session: Session, order: Order, actor: Actor, now: datetime) -> Ruling:
    """Asks the memorandum in force. Check page and issue go by the same ruling."""
    today = now.date()
    memorandum = registry.memorandum_in_force(session, order.authority_id, order.provider_id, today)
    if memorandum is None:
        detail = (
            f"No memorandum with {order.provider.name} is in force on {today.isoformat()}. "
            "Agree one, or extend the old one, before an order can be served through the portal."
        )
        return Ruling(None, None, None, [*_standing(order), FieldError("/provider", detail)])
    terms = terms_from_json(memorandum.terms)
    found = breaches(
        terms,
        memorandum.reference,
        duration_days=order.duration_days,
        targets=[(t.type, [DataCategory(c) for c in t.data]) for t in order.targets],
        roles=actor.roles,
    )
    found = [*_standing(order), *found]
    firsts = _called(session, order, terms, now, repeats=False)
    if not all(people for _, people in firsts):
        detail = (
            "The ladder would reach nobody: register a duty officer and a supervisor "
            f"for {order.authority.name}."
        )
        found = [*found, FieldError("", detail)]
    return Ruling(memorandum, terms, deadlines(terms, order.urgency, now), found)


def preview(session: Session, actor: Actor, name: str, now: datetime) -> Preview:
    """The check page of a draft, or of an order that waits for authorisation."""
    order = orders.find(session, actor, name)
    # Who may issue is a question of its own: whoever may not can still submit.
    ruling = rule(session, order, replace(actor, roles=frozenset()), now)
    no_issuer = (
        ruling.terms
        and ruling.memorandum
        and not_issuer(ruling.terms, ruling.memorandum.reference, actor.roles)
    )
    steps = _called(session, order, ruling.terms, now) if ruling.terms is not None else []
    return Preview(
        order,
        ruling.memorandum,
        ruling.terms,
        ruling.deadlines,
        ruling.breaches,
        no_issuer or None,
        steps,
        party_rules.for_order(session, order),
        proposals.elsewhere(session, order),
    )


def _standing(order: Order) -> list[FieldError]:
    """What is said where one of the two is suspended or closed in the register."""
    found = []
    if order.provider.status is not Status.ACTIVE:
        detail = (
            f"{order.provider.name} is {order.provider.status.label.lower()} in the register: no "
            "order can be issued to it. Choose another provider, or ask an administrator."
        )
        found.append(FieldError("/provider", detail))
    if order.authority.status is not Status.ACTIVE:
        detail = (
            f"{order.authority.name} is {order.authority.status.label.lower()} in the register: "
            "it issues no orders. Ask an administrator to make it active again."
        )
        found.append(FieldError("", detail))
    return found


def _called(
    session: Session, order: Order, terms: Terms, now: datetime, *, repeats: bool = True
) -> list[tuple[Step, list[Reached]]]:
    """The ladder's steps, whom each would call and how; the page at the top is the last."""
    calendar = office_hours.calendar(session, order, terms, now)
    return [
        (step, registry.reached(session, order, step, step.due_at))
        for step in outline(terms.ladders[order.urgency], Climb.ACKNOWLEDGE, now, calendar)
        if repeats or step.repeat == 0 or step.at_top
    ]
