"""Another provider took part in the transmission: whoever was asked names it.

Traffic data enough to identify the provider and the path (Budapest Convention arts 17, 30).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from liaison.domain.actors import Actor
from liaison.domain.ladder import Whom
from liaison.domain.lifecycle import Action
from liaison.domain.reading import LONGEST_NOTE, LONGEST_REFERENCE, check_texts
from liaison.errors import FieldError, Invalid
from liaison.models import Order, Route
from liaison.models.work import Wanted
from liaison.queries import registry
from liaison.services import ledger, outbox
from liaison.services.guards import order_for

MOST_ROUTES = 50
"""Of one order."""


def report(
    session: Session,
    actor: Actor,
    name: str,
    provider: str,
    path: str,
    now: datetime,
    *,
    target: UUID | None = None,
) -> Order:
    """Notes another provider and the path to it; the same once more changes nothing.

    ``target``: the one target it is about; None for the whole order. Whether the register knows
    the provider is looked up for the contact point and never told to who named it.
    """
    order, _ = order_for(session, actor, name, Action.REPORT_ROUTE)
    named, path = " ".join(provider.split()), path.strip()
    _check(order, named, path, target)
    if any((r.named, r.path, r.target_id) == (named, path, target) for r in order.routes):
        return order
    if len(order.routes) >= MOST_ROUTES:
        detail = f"{MOST_ROUTES} other providers are named already. Write to the contact point."
        raise Invalid([FieldError("/provider", detail)])
    known = registry.provider_named(session, named)
    route = Route(
        order_id=order.id,
        at=now,
        reported_by=actor.name,
        named=named,
        provider_id=known.id if known and known.id != order.provider_id else None,
        path=path,
        target_id=target,
    )
    order.routes.append(route)
    flag_modified(order, "provider_reference")  # whoever reads the order again sees a new version
    session.flush()
    _tell_contact_point(session, order, route, now)
    told = {"provider": named, "path": path, "target": str(target) if target else None}
    ledger.record(session, now, *ledger.act(order, "order.route_reported", actor, told))
    return order


def _check(order: Order, named: str, path: str, target: UUID | None) -> None:
    check_texts(("/provider", named, LONGEST_REFERENCE), ("/path", path, LONGEST_NOTE))
    faults = []
    if not named:
        faults.append(FieldError("/provider", "Name the other provider: its name or its domain."))
    if not path:
        detail = "Say what identifies the path: addresses, ports and times (arts 17, 30)."
        faults.append(FieldError("/path", detail))
    if target is not None and target not in {t.id for t in order.targets}:
        detail = "The order has no such target. Use the id of one of its targets."
        faults.append(FieldError("/target", detail))
    if faults:
        raise Invalid(faults)


def _tell_contact_point(session: Session, order: Order, route: Route, now: datetime) -> None:
    notice = outbox.Notice("route_reported", Wanted.ALWAYS, f"route:{route.id}", {})
    for contact in registry.addressees(session, order, Whom.DUTY_OFFICER, now):
        outbox.queue(session, order, contact, notice, now)
