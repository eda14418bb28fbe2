"""What limits an order's extensions: the memorandum it was issued under, and the law that binds."""

from __future__ import annotations

from sqlalchemy.orm import Session

from liaison.domain.extension import Limit, of_rule, of_terms
from liaison.domain.terms import terms_from_json
from liaison.models import Extension, Order, PartyRule
from liaison.queries import party_rules


def limits(session: Session, order: Order) -> list[Limit]:
    """The terms as they were at issue, then the law of the authority's country.

    General rules limit nothing, and neither does the law of a Party that asks: it binds no
    provider here.
    """
    found = []
    if order.terms is not None:
        terms = terms_from_json(order.terms)
        ref = order.memorandum.reference if order.memorandum else "of the order"
        found.append(of_terms(ref, terms.longest_days, terms.extensions))
    rule = binding_rule(session, order)
    if rule is not None:
        found.append(of_rule(rule.name, rule.source, rule.extension_days, rule.extensions))
    return found


def binding_rule(session: Session, order: Order) -> PartyRule | None:
    """The narrowest rule that names the authority's country; None where none names it."""
    first = next(iter(party_rules.for_country(session, order.authority.country)), None)
    return first if first is not None and first.countries else None


def confirmed(order: Order) -> list[Extension]:
    """The extensions that the provider has confirmed, oldest first."""
    return [extension for extension in order.extensions if extension.confirmed_at is not None]


def open_wish(order: Order) -> Extension | None:
    """The extension that waits for the provider; there is one at a time."""
    waiting = (e for e in order.extensions if e.confirmed_at is None and e.dropped_at is None)
    return next(waiting, None)
