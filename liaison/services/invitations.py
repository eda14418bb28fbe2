"""Inviting a person to a role, and how an invitation becomes an account: once, in time."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain import password_rules
from liaison.domain.actors import Actor
from liaison.domain.addresses import institutional_email, person_name
from liaison.domain.lookalike import check_domain
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import check_texts
from liaison.domain.vocabulary import CONTACT_POINT_ROLES, PROVIDER_ROLES, Role
from liaison.errors import FieldError, Invalid, LiaisonError, NotFound
from liaison.models import Authority, Invitation, Person, Provider
from liaison.services import accounts, guards, organisations, outbox, portal_log, recovery, totp
from liaison.services.organisations import AlreadyDone
from liaison.services.vault import Vault

LASTS = timedelta(hours=72)
LONGEST_NAME, LONGEST_EMAIL = 200, 254
"""Characters."""

USED = (
    "This invitation was used already: it works once. If it was you, sign in. If it was not, "
    "tell your organisation’s administrator at once, by telephone."
)
REVOKED = "This invitation was taken back. Ask your organisation’s administrator for a new one."
LATE = (
    "This invitation has run out: it counts for 72 hours. Ask your organisation’s administrator "
    "for a new one."
)

Link = Callable[[UUID], str]
"""Makes the address under which an invitation is taken up; only the portal can sign one."""


class LinkClosed(LiaisonError):
    """The link is genuine and counts no longer. Nothing is told about whom it was for."""

    slug = "link-closed"
    title = "This link counts no longer"
    status = 410


def roles_at(organisation: Authority | Provider) -> frozenset[Role]:
    """The roles that people of such an organisation can hold."""
    return CONTACT_POINT_ROLES if isinstance(organisation, Authority) else PROVIDER_ROLES


def invite(
    session: Session,
    vault: Vault,
    actor: Actor,
    email: str,
    name: str,
    roles: Collection[str],
    now: datetime,
    *,
    link: Link,
) -> Invitation:
    """Invites a person to the actor's own organisation, by a letter to their own address."""
    demand(actor, Verb.INVITE)
    guards.fresh_factor(actor, now)
    check_texts(("/email", email, LONGEST_EMAIL), ("/name", name, LONGEST_NAME))
    # Held, so that two administrators do not invite one person twice.
    organisation = organisations.held(session, actor)
    whose = portal_log.organisation_of_actor(actor)
    return send(session, vault, actor, organisation, email, name, roles, now, whose, link=link)


def send(
    session: Session,
    vault: Vault,
    actor: Actor,
    organisation: Authority | Provider,
    email: str,
    name: str,
    roles: Collection[str],
    now: datetime,
    whose: str,
    *,
    link: Link,
) -> Invitation:
    """The invitation to an organisation, and its letter, once the caller has asked who may.

    ``whose`` log it stands in; the caller holds the organisation's row.
    """
    given = checked_roles(roles, organisation)
    address = _checked(session, organisation, email, name, given, now)
    assert given is not None
    row = Invitation(
        email=address,
        name=name.strip(),
        roles=[role.value for role in Role if role in given],
        authority_id=organisation.id if isinstance(organisation, Authority) else None,
        provider_id=organisation.id if isinstance(organisation, Provider) else None,
        invited_by_id=actor.person_id,
        invited_at=now,
        expires_at=now + LASTS,
    )
    session.add(row)
    session.flush()
    _write_letter(session, actor, row, organisation.name, vault.seal(link(row.id)), now)
    told = {"email": row.email, "name": row.name, "roles": row.roles}
    _note(session, now, "invited", actor, row, told, whose)
    return row


def checked_roles(
    roles: Collection[str], organisation: Authority | Provider
) -> frozenset[Role] | None:
    """The roles that were named; None where there is none or one is impossible there."""
    possible = roles_at(organisation)
    known = {role.value: role for role in possible}
    if not roles or not set(roles) <= set(known):
        return None
    return frozenset(known[role] for role in roles)


def roles_fault(organisation: Authority | Provider) -> FieldError:
    """What is said where the roles are none that can be given."""
    possible = roles_at(organisation)
    choices = ", ".join(role.label for role in Role if role in possible)
    return FieldError("/roles", f"Choose at least one of: {choices}.")


def _checked(
    session: Session,
    organisation: Authority | Provider,
    email: str,
    name: str,
    roles: frozenset[Role] | None,
    now: datetime,
) -> str:
    """The address as it is stored; ``Invalid`` names every fault at once."""
    faults, address = [], ""
    try:
        check_domain(email, organisation.domains)
        address = institutional_email(email).lower()
        if said := _taken(session, address, now):
            faults.append(FieldError("/email", said))
    except ValueError as error:
        faults.append(FieldError("/email", str(error)))
    try:
        person_name(name)
    except ValueError as error:
        faults.append(FieldError("/name", str(error)))
    if roles is None:
        faults.append(roles_fault(organisation))
    if faults:
        raise Invalid(faults)
    return address


def _taken(session: Session, address: str, now: datetime) -> str | None:
    if session.scalar(select(Person.id).where(Person.email == address)):
        return "This address has an account already. Change that person’s roles instead."
    open_one = select(Invitation.id).where(
        Invitation.email == address, *open_now(now), Invitation.kind == "invitation"
    )
    if session.scalar(open_one.limit(1)):
        return "This person is invited already. Take that invitation back first, or wait."
    return None


def open_now(now: datetime) -> tuple[Any, ...]:
    """The invitations that can still be taken up."""
    return (
        Invitation.used_at.is_(None),
        Invitation.revoked_at.is_(None),
        Invitation.expires_at > now,
    )


def _write_letter(
    session: Session, actor: Actor, row: Invitation, organisation: str, sealed: str, now: datetime
) -> None:
    colleague = actor.organisation == organisation
    params = {
        "name": row.name,
        "inviter": actor.name if colleague else f"{actor.name} of {actor.organisation}",
        "organisation": organisation,
        "roles": ", ".join(Role(role).label for role in row.roles),
        "until": row.expires_at.isoformat(),
    }
    key = f"invitation:{row.id}"
    outbox.queue_letter(session, row.email, "invitation", params, key, now, sealed_link=sealed)


def revoke(session: Session, actor: Actor, invitation_id: UUID, now: datetime) -> Invitation:
    """Takes an open invitation back. Quick: no fresh factor is asked for."""
    demand(actor, Verb.INVITE)
    mine = organisations.of_same(Invitation, actor)
    row = session.scalars(
        select(Invitation).where(
            Invitation.id == invitation_id, Invitation.kind == "invitation", mine
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return take_back(session, actor, row, now, portal_log.organisation_of_actor(actor))


def take_back(
    session: Session, actor: Actor, row: Invitation, now: datetime, whose: str
) -> Invitation:
    """Ends an open invitation, once the caller has asked who may; ``whose`` log it stands in."""
    if not _close(session, row, now, revoked_at=now):
        raise AlreadyDone("This invitation was used, taken back or ran out meanwhile.")
    told = {"email": row.email, "name": row.name}
    _note(session, now, "invitation_revoked", actor, row, told, whose)
    return row


def pending(session: Session, invitation_id: UUID, now: datetime) -> Invitation:
    """The invitation behind a link, while it counts; ``LinkClosed`` says why it does not."""
    row = session.scalars(
        select(Invitation).where(Invitation.id == invitation_id, Invitation.kind == "invitation")
    ).one_or_none()
    if row is None:
        raise NotFound
    if row.used_at is not None:
        raise LinkClosed(USED)
    if row.revoked_at is not None:
        raise LinkClosed(REVOKED)
    if row.expires_at <= now:
        raise LinkClosed(LATE)
    return row


def accept(
    session: Session,
    vault: Vault,
    invitation_id: UUID,
    secret: str,
    password: str,
    code: str,
    now: datetime,
    *,
    address: str = "",
) -> tuple[Person, list[str]]:
    """The account, and its recovery codes, which are shown once.

    ``secret`` is the one that the invitation's page has shown, and the code is of it; its time
    step is remembered, so that it does not sign in too. Of two who try at once one wins.
    """
    row = pending(session, invitation_id, now)
    organisation = organisations.of_invitation(session, row)
    step = _step(row, organisation.name, secret, password, code, now)
    if not _close(session, row, now, used_at=now):
        raise LinkClosed(USED)
    person, _ = accounts.register_person(
        session,
        vault,
        email=row.email,
        name=row.name,
        password=password,
        roles=[Role(role) for role in row.roles],
        authority=organisation if isinstance(organisation, Authority) else None,
        provider=organisation if isinstance(organisation, Provider) else None,
        totp_secret=secret,
        now=now,
    )
    person.totp_last_step = step
    row.person_id = person.id
    codes = recovery.make(session, person, now)
    by = {"name": person.name, "organisation": organisation.name}
    told = {
        "person": str(person.id),
        "invitation": str(row.id),
        "roles": row.roles,
        "by": by,
        "via": {"factor": "totp", "address": address},
    }
    whose = portal_log.organisation_of(person)
    portal_log.note(session, now, "enrolled", f"person:{person.id}", whose, told)
    return person, codes


def _step(
    row: Invitation, organisation: str, secret: str, password: str, code: str, now: datetime
) -> int:
    faults = []
    if fault := password_rules.fault(password, (row.name, row.email, organisation)):
        faults.append(FieldError("/password", fault))
    step = totp.step_of(secret, code, now)
    if step is None:
        faults.append(FieldError("/code", totp.WRONG))
    if faults or step is None:
        raise Invalid(faults)
    return step


def _close(session: Session, row: Invitation, now: datetime, **values: datetime) -> bool:
    """Ends an invitation that is open; False where somebody else was quicker."""
    result = session.execute(
        update(Invitation)
        .where(Invitation.id == row.id, *open_now(now))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1


def _note(
    session: Session,
    now: datetime,
    type_: str,
    actor: Actor,
    row: Invitation,
    told: dict[str, Any],
    whose: str,
) -> None:
    data = {"invitation": str(row.id), "until": rfc3339(row.expires_at), **told}
    portal_log.note(session, now, type_, actor.id, whose, {**data, **portal_log.by(actor)})
