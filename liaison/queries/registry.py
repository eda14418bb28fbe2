"""Reading the register."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from liaison.domain.ladder import Step, Whom
from liaison.domain.vocabulary import Function
from liaison.models import Authority, Contact, Memorandum, Order, Provider

_FUNCTIONS: dict[Whom, tuple[Function, ...]] = {
    Whom.ON_DUTY: (Function.PRIMARY,),
    Whom.EVERY_SPOC: (Function.PRIMARY, Function.DEPUTY),
    Whom.FALLBACK: (Function.FALLBACK,),
    Whom.DUTY_OFFICER: (Function.DUTY_OFFICER,),
    Whom.SUPERVISOR: (Function.SUPERVISOR,),
}


def provider_named(session: Session, name: str) -> Provider | None:
    """A provider by its name or one of its registered domains, in any case."""
    wanted = name.strip().lower()
    found = session.scalars(
        select(Provider).where(func.lower(Provider.name) == wanted)
    ).one_or_none()
    if found is not None:
        return found
    everyone = session.scalars(select(Provider).order_by(Provider.name))
    return next((p for p in everyone if wanted in {d.lower() for d in p.domains}), None)


def memorandum_in_force(
    session: Session, authority_id: UUID, provider_id: UUID, day: date
) -> Memorandum | None:
    """The memorandum between the two that is in force on a day (UTC); the newest version wins."""
    return session.scalars(
        select(Memorandum)
        .where(
            Memorandum.authority_id == authority_id,
            Memorandum.provider_id == provider_id,
            Memorandum.in_force_from <= day,
            or_(Memorandum.in_force_to.is_(None), Memorandum.in_force_to >= day),
        )
        .order_by(Memorandum.in_force_from.desc(), Memorandum.version.desc())
        .limit(1)
    ).one_or_none()


def contacts(session: Session, order: Order, *functions: Function) -> list[Contact]:
    """The order's registered contacts of these functions, on whichever side they stand."""
    return list(
        session.scalars(
            select(Contact)
            .where(
                or_(
                    Contact.provider_id == order.provider_id,
                    Contact.authority_id == order.authority_id,
                ),
                Contact.function.in_(functions),
            )
            .order_by(Contact.position, Contact.id)
        )
    )


def called_by(session: Session, order: Order, step: Step) -> list[Contact]:
    """Whom a step of the ladder calls. Nobody is never silent: the duty officer is called then."""
    if step.whom is Whom.NAMED:
        named = session.get(Contact, UUID(step.contact)) if step.contact else None
        found = [named] if named and _is_party(named, order) else []
    else:
        found = contacts(session, order, *_FUNCTIONS[step.whom])
    return found or contacts(session, order, Function.DUTY_OFFICER, Function.SUPERVISOR)


def unreachable(session: Session) -> list[str]:
    """Authorities with a memorandum that have nobody at the top of a ladder, by name."""
    ours = (Function.DUTY_OFFICER, Function.SUPERVISOR)
    return list(
        session.scalars(
            select(Authority.name)
            .where(
                Authority.id.in_(select(Memorandum.authority_id)),
                ~Authority.contacts.any(Contact.function.in_(ours)),
            )
            .order_by(Authority.name)
        )
    )


def _is_party(contact: Contact, order: Order) -> bool:
    """Whether a contact belongs to the order's provider or to its own authority."""
    if contact.provider_id is not None:
        return contact.provider_id == order.provider_id
    return contact.authority_id == order.authority_id
