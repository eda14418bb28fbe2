"""Who is told when it changes who is on duty: whoever is concerned, who keeps it, the other side.

To be on duty is to be called first. So nobody comes there, and nobody is put aside, in silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Function, Role
from liaison.models import Contact, Memorandum, Person
from liaison.models.base import new_id
from liaison.queries import contact_rungs
from liaison.queries import duty as queries
from liaison.queries.duty import Owner
from liaison.queries.registry import usable
from liaison.services import contact_letters, outbox
from liaison.services import duty_scope as scope

CHANGED, UNUSUAL = "register/duty_changed", "register/duty_unusual"

USUAL = frozenset(
    {Function.PRIMARY, Function.DEPUTY, Function.DUTY_OFFICER, Function.SUPERVISOR},
)
"""Whose duty surprises nobody; that anybody else comes there, the other side is told."""


def tell(
    session: Session,
    people: Iterable[Contact],
    what: str,
    actor: Actor,
    now: datetime,
    base_url: str,
    *,
    put: Iterable[Contact] = (),
) -> None:
    """A letter to each contact concerned, and to the organisation's administrators.

    To verified addresses only: others may be anybody's. ``put``: who is on duty by it; where
    their function is no usual one, the other side is told, too.
    """
    key, base = f"duty_changed:{new_id()}", base_url.rstrip("/")
    told = {
        "organisation": actor.organisation,
        "what": what,
        "by": actor.name,
        "at": now.isoformat(),
        "link": f"{base}/duty" if base else "",
    }
    concerned = {
        c.email: c.name
        for c in people
        if c.email_verified_at is not None and queries.is_usable(c, now)
    }
    owner = scope.owner_of(actor)
    for address, name in {**keepers(session, owner), **concerned}.items():
        params = {**told, "name": name, "keeps": address not in concerned}
        outbox.queue_letter(session, address, CHANGED, params, key, now)
    unusual = {c.id: f"{c.name} ({c.function.label})" for c in put if c.function not in USUAL}
    if not unusual or owner.provider_id is None:
        return
    told |= {
        "unusual": ", ".join(unusual.values()),
        "link": f"{base}/providers/{owner.provider_id}" if base else "",
    }
    for address, name in other_side(session, owner, now).items():
        outbox.queue_letter(session, address, UNUSUAL, {**told, "name": name}, key, now)


def keepers(session: Session, owner: Owner) -> dict[str, str]:
    """Names by address: the organisation's administrators; a provider's SPOCs where it has none."""
    if owner.authority_id is not None:
        ours = Person.authority_id == owner.authority_id
        return contact_letters.people(session, ours, (Role.ADMINISTRATOR,))
    ours = Person.provider_id == owner.provider_id
    return contact_letters.people(
        session, ours, (Role.PROVIDER_ADMINISTRATOR,)
    ) or contact_letters.people(session, ours, (Role.SPOC,))


def other_side(session: Session, owner: Owner, now: datetime) -> dict[str, str]:
    """Names by address: supervisors of every authority with a memorandum with a provider."""
    agreed = contact_rungs.memoranda(session, Memorandum.provider_id == owner.provider_id, now)
    found = session.scalars(
        select(Contact)
        .where(
            Contact.authority_id.in_({m.authority_id for m in agreed}),
            Contact.function == Function.SUPERVISOR,
            Contact.email_verified_at.is_not(None),
            *usable(now),
        )
        .order_by(Contact.position, Contact.id)
    )
    return {c.email: c.name for c in found}
