"""The first administrator of an organisation that has none: invited by whoever keeps the register.

Once there is one, the organisation invites its own people, and nobody else does.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import check_texts
from liaison.domain.vocabulary import Status
from liaison.errors import NotFound
from liaison.models import Authority, Invitation, Provider
from liaison.services import authorities, guards, invitations, organisations, providers
from liaison.services.invitations import LONGEST_EMAIL, LONGEST_NAME, Link
from liaison.services.organisations import AlreadyDone
from liaison.services.vault import Vault

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
    role = organisations.keeper(of)
    whose = _log_of(of)
    return invitations.send(
        session, vault, actor, of, email, name, [role.value], now, whose, link=link
    )


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
