"""A lost factor: an administrator asks, time passes, the person begins anew by a link.

A hijacker's first move is to claim a lost telephone. So the reset waits a day, or an hour where a
second administrator stands by it; the person is told at once and can stop it; and the link alone
is worth nothing without the password.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.errors import FieldError, Forbidden, Invalid, InvalidTransition, NotFound
from liaison.models import FactorReset, Invitation, Passkey, Person
from liaison.models.base import new_id
from liaison.services import factors, guards, own_access, portal_log, recovery, sign_ins, totp
from liaison.services.vault import Vault

COOLING_OFF = timedelta(hours=24)
WITH_A_SECOND = timedelta(hours=1)
"""How long a reset waits: asked for by one administrator, and once a second one confirmed it."""

WithReason = Callable[[Session, Actor, UUID, str, datetime], object]
"""A verb on a colleague that asks for a reason."""

SENDABLE = timedelta(hours=72)
"""How long after it took effect a reset still lets a link be sent; then it is asked for again."""

LINK_LIFE = timedelta(hours=24)
KIND = "reset"
_SALT = "liaison.reset"

RUN_OUT = "This reset has run out: its link was to be sent within 72 hours. Ask for it again."
NONE_OPEN = "No reset of this person's second factor is running."
LINK_DEAD = "This link was used, is too old or was taken back. Ask your administrator for another."


def open_for(session: Session, person_id: UUID) -> FactorReset | None:
    """The reset that runs for a person; None where there is none."""
    return session.scalars(
        select(FactorReset)
        .where(
            FactorReset.person_id == person_id,
            FactorReset.cancelled_at.is_(None),
            FactorReset.done_at.is_(None),
        )
        .order_by(FactorReset.asked_at.desc())
        .limit(1)
    ).one_or_none()


def has_run_out(reset: FactorReset, now: datetime) -> bool:
    """Whether it is too old for a link: nobody keeps a reset in a drawer until it is of use."""
    return now >= reset.effective_at + SENDABLE


def ask(session: Session, actor: Actor, person_id: UUID, reason: str, now: datetime) -> FactorReset:
    """Asks for a reset of somebody's second factor; it takes effect after the cooling-off."""
    person = colleague(session, actor, person_id, now)
    reason = _checked_reason(reason)
    if person.disabled_at is not None:
        raise InvalidTransition("The account is disabled: enable it first.")
    running = open_for(session, person.id)
    if running is not None and not has_run_out(running, now):
        raise InvalidTransition("A reset is running already for this person.")
    if running is not None:
        running.cancelled_by_id, running.cancelled_at = actor.person_id, now
        _revoke_links(session, person.id, now)
    reset = FactorReset(
        person_id=person.id,
        reason=reason,
        asked_by_id=actor.person_id,
        asked_at=now,
        effective_at=now + COOLING_OFF,
    )
    session.add(reset)
    session.flush()
    told = {
        "asked_by": actor.name,
        "reason": reason,
        "effective": reset.effective_at.isoformat(),
        "soonest": (now + WITH_A_SECOND).isoformat(),
    }
    factors.tell(session, person, "factor_reset_asked", told, str(reset.id), now)
    _note(session, actor, person, "reset_asked", {"reset": str(reset.id), "reason": reason}, now)
    return reset


def confirm(session: Session, actor: Actor, person_id: UUID, now: datetime) -> FactorReset:
    """A second administrator stands by it: the reset waits an hour more, not a day."""
    person = colleague(session, actor, person_id, now)
    reset = _running(session, person.id)
    if reset.asked_by_id == actor.person_id:
        raise Forbidden("You asked for this reset yourself: another administrator confirms it.")
    if has_run_out(reset, now):
        raise InvalidTransition(RUN_OUT)
    if reset.confirmed_at is not None:
        raise InvalidTransition("This reset was confirmed already.")
    reset.confirmed_by_id, reset.confirmed_at = actor.person_id, now
    reset.effective_at = min(reset.effective_at, now + WITH_A_SECOND)
    session.flush()
    told = {"confirmed_by": actor.name, "effective": reset.effective_at.isoformat()}
    factors.tell(session, person, "factor_reset_confirmed", told, str(reset.id), now)
    _note(session, actor, person, "reset_confirmed", {"reset": str(reset.id)}, now)
    return reset


def cancel(session: Session, actor: Actor, person_id: UUID, now: datetime) -> FactorReset:
    """Stops a reset: an administrator, or the person themselves while signed in.

    No fresh factor is asked for: stopping must be quick, and gives nobody anything.
    """
    person = _of_own_organisation(session, actor, person_id)
    if actor.person_id != person.id:
        demand(actor, Verb.MANAGE_PEOPLE)
    reset = _running(session, person.id)
    reset.cancelled_by_id, reset.cancelled_at = actor.person_id, now
    _revoke_links(session, person.id, now)
    session.flush()
    _note(session, actor, person, "reset_cancelled", {"reset": str(reset.id)}, now)
    return reset


def send_link(
    session: Session,
    vault: Vault,
    actor: Actor,
    person_id: UUID,
    link_to: Callable[[UUID], str],
    now: datetime,
) -> Invitation:
    """Sends the person the link by which they begin anew, once the reset is in effect.

    ``link_to`` makes an invitation's address. An earlier link is void from now on.
    """
    person = colleague(session, actor, person_id, now)
    reset = _running(session, person.id)
    if now < reset.effective_at:
        raise InvalidTransition(
            f"The reset takes effect on {reset.effective_at:%d %b %Y, %H:%M} UTC, not before."
        )
    if has_run_out(reset, now):
        raise InvalidTransition(RUN_OUT)
    _revoke_links(session, person.id, now)
    invitation = Invitation(
        id=new_id(),
        kind=KIND,
        email=person.email,
        name=person.name,
        roles=[],
        authority_id=person.authority_id,
        provider_id=person.provider_id,
        invited_by_id=actor.person_id,
        invited_at=now,
        expires_at=now + LINK_LIFE,
        person_id=person.id,
    )
    session.add(invitation)
    session.flush()
    told = {"until": invitation.expires_at.isoformat()}
    link = vault.seal(link_to(invitation.id))
    factors.tell(session, person, "factor_reset", told, str(invitation.id), now, sealed_link=link)
    _note(session, actor, person, "reset_link_sent", {"reset": str(reset.id)}, now)
    return invitation


def token_for(secret_key: str, invitation_id: UUID) -> str:
    """What the link carries: the invitation's id, signed."""
    return str(URLSafeSerializer(secret_key, salt=_SALT).dumps(str(invitation_id)))


def invitation_of(session: Session, secret_key: str, token: str, now: datetime) -> Invitation:
    """The invitation a link names, while it counts; ``NotFound`` for everything else alike."""
    try:
        invitation_id = UUID(URLSafeSerializer(secret_key, salt=_SALT).loads(token))
    except (BadSignature, ValueError, TypeError, AttributeError):
        raise NotFound(LINK_DEAD) from None
    found = session.get(Invitation, invitation_id)
    if found is None or found.kind != KIND or found.person is None:
        raise NotFound(LINK_DEAD)
    gone = found.used_at is not None or found.revoked_at is not None or now >= found.expires_at
    if gone or found.person.disabled_at is not None:
        raise NotFound(LINK_DEAD)
    return found


def redeem(
    session: Session,
    vault: Vault,
    invitation: Invitation,
    secret: str,
    code: str,
    address: str,
    now: datetime,
) -> list[str] | None:
    """The person begins anew: new authenticator, new recovery codes, no passkey, no session.

    The caller has checked the password; ``secret`` is what the page has shown. The recovery
    codes are shown once; None where the code is not one of the new secret.
    """
    step = totp.step_of(secret, code, now)
    if step is None:
        return None
    used = session.execute(
        update(Invitation)
        .where(
            Invitation.id == invitation.id,
            Invitation.used_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    person = invitation.person
    if person is None or not isinstance(used, CursorResult) or used.rowcount != 1:
        raise NotFound(LINK_DEAD)
    own_access.set_authenticator(session, vault, person, secret, step)
    session.execute(update(Person).where(Person.id == person.id).values(factor_off_at=None))
    gone = session.execute(delete(Passkey).where(Passkey.person_id == person.id))
    codes = recovery.make(session, person, now)
    ended = sign_ins.end_all(session, person.id, "factor_changed", now)
    session.execute(
        update(FactorReset)
        .where(FactorReset.person_id == person.id, FactorReset.done_at.is_(None))
        .where(FactorReset.cancelled_at.is_(None))
        .values(done_at=now)
    )
    what = "Your second factor was reset: a new authenticator and new recovery codes."
    told = {"what": what, "address": address, "at": now.isoformat()}
    factors.tell(session, person, "factor_changed", told, f"reset:{invitation.id}", now)
    organisation = person.authority or person.provider
    data = {
        "person": str(person.id),
        "by": {"name": person.name, "organisation": organisation.name if organisation else ""},
        "via": {"factor": "password", "address": address},
        "sessions_ended": ended,
        "passkeys_removed": gone.rowcount if isinstance(gone, CursorResult) else 0,
    }
    where = portal_log.organisation_of(person)
    portal_log.note(session, now, "reset_done", f"person:{person.id}", where, data)
    return codes


def switch_on(session: Session, actor: Actor, person_id: UUID, reason: str, now: datetime) -> None:
    """Switches a factor on again that too many wrong tries had switched off."""
    person = colleague(session, actor, person_id, now)
    reason = _checked_reason(reason)
    on = session.execute(
        update(Person)
        .where(Person.id == person.id, Person.factor_off_at.is_not(None))
        .values(factor_off_at=None, factor_failures=0)
        .execution_options(synchronize_session=False)
    )
    if not isinstance(on, CursorResult) or on.rowcount != 1:
        raise InvalidTransition("This person's second factor is not switched off.")
    session.expire(person)
    told = {
        "what": f"Your second factor was switched on again by {actor.name}.",
        "address": actor.via.address if actor.via else "",
        "at": now.isoformat(),
    }
    key = f"on:{person.id}:{now.isoformat()}"
    factors.tell(session, person, "factor_changed", told, key, now)
    _note(session, actor, person, "factor_switched_on", {"reason": reason}, now)


def colleague(session: Session, actor: Actor, person_id: UUID, now: datetime) -> Person:
    """Whom an administrator may act on: somebody else of their own organisation, locked."""
    demand(actor, Verb.MANAGE_PEOPLE)
    person = _of_own_organisation(session, actor, person_id)
    guards.fresh_factor(actor, now)
    if person.id == actor.person_id:
        raise Forbidden("Not for yourself: another administrator does this.")
    return person


def _of_own_organisation(session: Session, actor: Actor, person_id: UUID) -> Person:
    # Locked first: of two acts on one person at once, the second sees what the first did.
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    person = session.get(Person, person_id, populate_existing=True)
    ours = actor.authority_id or actor.provider_id
    if person is None or ours is None or (person.authority_id or person.provider_id) != ours:
        raise NotFound
    return person


def _running(session: Session, person_id: UUID) -> FactorReset:
    reset = open_for(session, person_id)
    if reset is None:
        raise InvalidTransition(NONE_OPEN)
    return reset


def _revoke_links(session: Session, person_id: UUID, now: datetime) -> None:
    session.execute(
        update(Invitation)
        .where(
            Invitation.kind == KIND,
            Invitation.person_id == person_id,
            Invitation.used_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    check_texts(("/reason", reason, LONGEST_REASON))
    if not reason:
        raise Invalid([FieldError("/reason", "Say why: the person and the auditors read it.")])
    return reason


def _note(
    session: Session,
    actor: Actor,
    person: Person,
    type_: str,
    told: dict[str, str],
    now: datetime,
) -> None:
    data = {"person": str(person.id), "name": person.name, **told, **portal_log.by(actor)}
    where = portal_log.organisation_of(person)
    portal_log.note(session, now, type_, actor.id, where, data)
