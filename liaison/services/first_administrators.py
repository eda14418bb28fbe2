"""The first administrator of an organisation that has none: invited by whoever keeps the register.

Once there is one, the organisation invites its own people, and nobody else does.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.lookalike import check_domain
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import check_texts
from liaison.domain.vocabulary import MemorandumState, Status
from liaison.errors import FieldError, Invalid, NotFound
from liaison.models import Authority, Invitation, Memorandum, Provider
from liaison.services import (
    authorities,
    entry_letters,
    guards,
    invitations,
    organisations,
    providers,
)
from liaison.services.invitations import LONGEST_EMAIL, LONGEST_NAME, Link
from liaison.services.organisations import AlreadyDone
from liaison.services.vault import Vault

SETTLED = timedelta(hours=72)
"""How long a domain must have been registered before a first administrator is invited there."""

Kind = type[Provider] | type[Authority]


def invite_first_administrator(
    session: Session,
    vault: Vault,
    actor: Actor,
    kind: Kind,
    organisation_id: UUID,
    email: str,
    name: str,
    now: datetime,
    *,
    link: Link,
) -> Invitation:
    """Invites a person to keep the people of an organisation that has no administrator.

    Their address must be at one of the organisation's registered domains, as in any invitation.
    Where a provider has agreed a memorandum, at one that is registered for ``SETTLED``; its SPOCs
    and its contact points' supervisors hear of the invitation.
    """
    demand(actor, Verb.MANAGE_REGISTER)
    # Held, so that two administrators do not invite two people at once.
    of = _held(session, kind, organisation_id)
    guards.fresh_factor(actor, now)
    check_texts(("/email", email, LONGEST_EMAIL), ("/name", name, LONGEST_NAME))
    if of.status is Status.CLOSED:
        raise AlreadyDone(f"{of.name} is closed: nobody is invited there any more.")
    if organisations.has_keeper(session, of):
        raise AlreadyDone(f"{of.name} has an administrator already, who invites its people.")
    if waiting(session, of, now) is not None:
        raise AlreadyDone(
            f"An administrator of {of.name} is invited already. Take that invitation "
            "back first, or wait."
        )
    if isinstance(of, Provider):
        _demand_settled(session, of, email, now)
    role = organisations.keeper(of)
    whose = _log_of(of)
    row = invitations.send(
        session, vault, actor, of, email, name, [role.value], now, whose, link=link
    )
    if isinstance(of, Provider):
        entry_letters.tell_of_first_administrator(session, of, row, actor, now)
    return row


def _demand_settled(session: Session, of: Provider, email: str, now: datetime) -> None:
    """Whoever can add a domain and invite somebody there would have the provider to themselves."""
    fresh = {d: at for d, at in of.domains_since.items() if now < _from(at)}
    if not fresh or not _has_memorandum(session, of) or not _is_at(email, of.domains):
        return  # an address at no domain at all is refused with every other fault
    if _is_at(email, [domain for domain in of.domains if domain not in fresh]):
        return
    domain = next(domain for domain in fresh if _is_at(email, [domain]))
    detail = (
        f"{domain} was entered for {of.name} less than 72 hours ago. Until "
        f"{rfc3339(_from(fresh[domain]))} nobody is invited there: {of.name} and its contact "
        "points were told, and can object. Enter an address at an older domain, or wait."
    )
    raise Invalid([FieldError("/email", detail)])


def _from(at: str) -> datetime:
    return datetime.fromisoformat(at) + SETTLED


def _is_at(email: str, domains: Collection[str]) -> bool:
    try:
        check_domain(email, domains)
    except ValueError:
        return False
    return True


def _has_memorandum(session: Session, of: Provider) -> bool:
    agreed = select(Memorandum.id).where(
        Memorandum.provider_id == of.id, Memorandum.state == MemorandumState.AGREED
    )
    return session.scalars(agreed.limit(1)).first() is not None


def revoke_first_administrator(
    session: Session, actor: Actor, kind: Kind, organisation_id: UUID, now: datetime
) -> Invitation:
    """Takes the open invitation back. Quick: no fresh factor is asked for."""
    demand(actor, Verb.MANAGE_REGISTER)
    of = _held(session, kind, organisation_id)
    row = waiting(session, of, now)
    if row is None or organisations.has_keeper(session, of):
        raise AlreadyDone("This invitation was used, taken back or ran out meanwhile.")
    return invitations.take_back(session, actor, row, now, _log_of(of))


def waiting(
    session: Session, organisation: Provider | Authority, now: datetime
) -> Invitation | None:
    """The open invitation to the role that keeps the organisation's people, if there is one."""
    role = organisations.keeper(organisation).value
    mine = (
        Invitation.authority_id == organisation.id
        if isinstance(organisation, Authority)
        else Invitation.provider_id == organisation.id
    )
    query = select(Invitation).where(
        mine, Invitation.kind == "invitation", *invitations.open_now(now)
    )
    return next((row for row in session.scalars(query) if role in row.roles), None)


def organisation(session: Session, kind: Kind, organisation_id: UUID) -> Provider | Authority:
    """The provider or authority of this id."""
    found: Provider | Authority | None = (
        session.get(Provider, organisation_id)
        if kind is Provider
        else session.get(Authority, organisation_id)
    )
    if found is None:
        raise NotFound
    return found


def _held(session: Session, kind: Kind, organisation_id: UUID) -> Provider | Authority:
    if kind is Provider:
        return providers.held(session, organisation_id)
    return authorities.held(session, organisation_id)


def _log_of(organisation: Provider | Authority) -> str:
    """Every auditor may read it: where a register entry's changes stand."""
    return f"provider:{organisation.id}" if isinstance(organisation, Provider) else authorities.LOG
