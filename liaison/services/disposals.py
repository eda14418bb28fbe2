"""The provider confirms that the data are gone, where the terms ask for it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action
from liaison.domain.reading import LONGEST_NOTE, LONGEST_REFERENCE, check_texts
from liaison.errors import InvalidTransition
from liaison.models import Order
from liaison.models.work import Wanted
from liaison.services import call_tasks, keeping, keeping_letters, ledger, outbox
from liaison.services.guards import order_for


def confirm(
    session: Session,
    actor: Actor,
    name: str,
    now: datetime,
    *,
    reference: str | None = None,
    note: str | None = None,
    version: int | None = None,
) -> Order:
    """Confirms disposal of what was kept; nobody is reminded of it any more."""
    order, state = order_for(session, actor, name, Action.DISPOSE, version)
    wanted(order)
    check_texts(("/reference", reference, LONGEST_REFERENCE), ("/note", note, LONGEST_NOTE))
    order.state, order.disposed_at = state, now
    order.disposal = {"reference": _text(reference), "note": _text(note)}
    keeping.plan(session, order, now)
    outbox.cancel(session, order, Wanted.UNTIL_DISPOSED)
    call_tasks.cancel(session, order, Wanted.UNTIL_DISPOSED)
    notice = outbox.Notice("order_disposed", Wanted.ALWAYS, "disposed", {})
    keeping_letters.tell_contact_point(session, order, notice, now)
    ledger.record(session, now, *ledger.act(order, "order.disposed", actor, order.disposal))
    return order


def wanted(order: Order) -> None:
    """Refuses where no confirmation is to be given."""
    if not order.disposal_wanted:
        raise InvalidTransition(
            "Nothing is to be confirmed: the memorandum asks for no confirmation of disposal, or "
            "nothing was held. Nothing was done."
        )


def _text(text: str | None) -> str | None:
    return text.strip() or None if text else None
