"""A registered number that is the wrong one: no ladder uses it until it is verified anew.

It is no longer verified, so every rung passes it over; the register's own way verifies it again,
or somebody enters the right one. Both sides are told at once: whoever can say so can keep a
provider's telephone from ringing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Role
from liaison.models import CallTask, Order, Person
from liaison.services import contact_letters, contact_scope, contacts, ledger, portal_log


def found(
    session: Session, actor: Actor, order: Order, task: CallTask, now: datetime
) -> list[ledger.Record]:
    """A caller was told that the number is not the contact's; gives back what the log must say.

    Nothing where the entry has another number by now: that one was not called.
    """
    contact = task.contact
    contact_scope.lock(session, contact)
    if contact.phone != task.phone or contact.wrong_number_at is not None:
        return []
    contact.wrong_number_at, contact.phone_verified_at = now, None
    session.flush()
    keep_register = Person.authority_id == order.authority_id
    contact_letters.tell(
        session,
        contact,
        "contact_wrong_number",
        {"by": order.authority.name, "at": now.isoformat()},
        f"wrong_number:{task.id}",
        now,
        also=contact_letters.people(session, keep_register, (Role.ADMINISTRATOR,)),
    )
    told = {
        "contact": str(contact.id),
        "name": contact.name,
        "organisation": contacts.organisation_of(contact),
        **portal_log.by(actor),
    }
    return [ledger.Record(ledger.PORTAL, "portal.contact_wrong_number", actor.id, told)]
