"""Passkeys (WebAuthn level 3): a second factor that no false page can ask for.

The challenge lies in the session's row: for one purpose, for one use, for five minutes. The
authenticator must have verified its user. Refusals are given back, not raised, so that the caller
commits: a challenge that was answered is used up, whatever the answer was worth.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from liaison.domain.actors import Actor
from liaison.domain.reading import unstorable
from liaison.errors import FieldError, Forbidden, Invalid, NotFound, StaleFactor
from liaison.models import Passkey, Person, SignIn
from liaison.services import factors, guards, portal_log, sign_ins
from liaison.services.factors import Passed, Refused

LIFE = timedelta(minutes=5)
"""How long a challenge may be answered."""

SETTLED = timedelta(hours=24)
"""How old a passkey is before it issues, where the authority issues with passkeys only.

Its owner gets a letter when it is added: whoever slipped it in has a day to be found.
"""

MOST = 20
"""Passkeys of one person."""

LONGEST_NAME = 60
LARGEST = 16_384
"""Characters of an authenticator's answer."""

REGISTER, USE = "register", "use"

WRONG = "The passkey was not accepted. Try again, or give a code of your authenticator."
TOO_LATE = "That took more than 5 minutes, or was tried twice. Try again."
NOT_ADDED = "The passkey could not be added: the device's answer does not fit. Try again."
BY_PASSKEY = "Use your passkey: only it adds, renames or removes one. Nothing was done."
TOO_NEW = (
    "Your authority issues with a passkey that was added 24 hours ago or earlier; this one counts "
    "for signing in only until then. Nothing was sent."
)
NONE = "You have no passkey here yet. Give a code of your authenticator."


@dataclass(frozen=True)
class Site:
    """What a passkey is bound to: the host, and the address pages are served from."""

    host: str
    origin: str

    @classmethod
    def of(cls, base_url: str) -> Site:
        """The site people reach at this address."""
        parts = urlsplit(base_url)
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.netloc}")


def of_person(session: Session, person_id: UUID) -> list[Passkey]:
    """A person's passkeys, the oldest first."""
    found = select(Passkey).where(Passkey.person_id == person_id)
    return list(session.scalars(found.order_by(Passkey.created_at, Passkey.id)))


def demand_factor(session: Session, actor: Actor, now: datetime) -> None:
    """Refuses to change a person's passkeys unless a fresh passkey says so, where there is one.

    A code can be phished: it would add the thief's own passkey, and remove the owner's.
    """
    guards.fresh_factor(actor, now)
    by_passkey = actor.via is not None and actor.via.factor == factors.PASSKEY
    if not by_passkey and actor.person_id and of_person(session, actor.person_id):
        raise StaleFactor(BY_PASSKEY)


def demand_settled(session: Session, actor: Actor, now: datetime) -> None:
    """Refuses unless the passkey that was just given is old enough to issue with."""
    guards.fresh_factor(actor, now, passkey=True)
    given_at = actor.via.factor_at if actor.via else None
    settled = select(Passkey.id).where(
        Passkey.person_id == actor.person_id,
        # The session does not say which passkey it was; the passkey says when it was used.
        Passkey.last_used_at == given_at,
        Passkey.created_at <= now - SETTLED,
    )
    if session.scalar(settled.limit(1)) is None:
        raise Forbidden(TOO_NEW)


def offer(session: Session, sign_in: SignIn, site: Site, now: datetime) -> dict[str, Any]:
    """What the browser needs to make a new passkey."""
    demand_factor(session, factors.actor(sign_in, ""), now)
    person = sign_in.person
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name="Liaison",
        user_id=person.id.bytes,
        user_name=person.email,
        user_display_name=person.name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_known(session, person.id),
    )
    _keep(session, sign_in, REGISTER, options.challenge, now)
    return options_to_json_dict(options)


def add(
    session: Session,
    sign_in: SignIn,
    site: Site,
    answer: str,
    name: str,
    address: str,
    now: datetime,
) -> Passkey | Refused:
    """Keeps a new passkey under a name; every other session of its owner ends.

    Needs a fresh factor, a passkey where there is one; the owner is told by letter.
    """
    # Two additions at once take turns: the second meets the passkey of the first.
    session.execute(select(Person.id).where(Person.id == sign_in.person_id).with_for_update())
    demand_factor(session, factors.actor(sign_in, address), now)
    name = _checked_name(name)
    challenge = _take(session, sign_in, REGISTER, now)
    if challenge is None:
        return Refused(TOO_LATE)
    if len(of_person(session, sign_in.person_id)) >= MOST:
        return Refused(f"You have {MOST} passkeys: remove one first.")
    given = _parsed(answer)
    try:
        verified = webauthn.verify_registration_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        return Refused(NOT_ADDED)
    credential_id = bytes_to_base64url(verified.credential_id)
    if session.scalar(select(Passkey.id).where(Passkey.credential_id == credential_id)):
        return Refused("This passkey is registered already.")
    passkey = Passkey(
        person_id=sign_in.person_id,
        name=name,
        credential_id=credential_id,
        public_key=bytes_to_base64url(verified.credential_public_key),
        sign_count=verified.sign_count,
        transports=_transports(given),
        created_at=now,
    )
    session.add(passkey)
    session.flush()
    ended = sign_ins.end_all(session, sign_in.person_id, "factor_changed", now, keep=sign_in.id)
    told = {"what": f"A passkey was added: {name}.", "address": address, "at": now.isoformat()}
    factors.tell(session, sign_in.person, "factor_changed", told, f"passkey:{passkey.id}", now)
    data = {
        "factor": factors.PASSKEY,
        "passkey": str(passkey.id),
        "name": name,
        "sessions_ended": ended,
    }
    factors.note(session, sign_in, "factor_added", data, address, now)
    return passkey


def ask(session: Session, sign_in: SignIn, site: Site, now: datetime) -> dict[str, Any] | Refused:
    """What the browser needs to use a passkey: at sign-in, or for a fresh factor."""
    known = _known(session, sign_in.person_id)
    if not known:
        return Refused(NONE)
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        allow_credentials=known,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    _keep(session, sign_in, USE, options.challenge, now)
    return options_to_json_dict(options)


def give(
    session: Session, sign_in: SignIn, site: Site, answer: str, address: str, now: datetime
) -> Passed | Refused:
    """Second step of a sign-in by passkey."""
    refused = _try(session, sign_in, site, answer, address, now)
    return refused or factors.complete(session, sign_in, factors.PASSKEY, address, now)


def step_up(
    session: Session, sign_in: SignIn, site: Site, answer: str, address: str, now: datetime
) -> Refused | None:
    """A fresh factor of a person who is signed in, by passkey."""
    refused = _try(session, sign_in, site, answer, address, now)
    if refused is None:
        factors.freshen(session, sign_in, factors.PASSKEY, now)
    return refused


def _try(
    session: Session, sign_in: SignIn, site: Site, answer: str, address: str, now: datetime
) -> Refused | None:
    def check() -> str | None:
        challenge = _take(session, sign_in, USE, now)
        if challenge is None:
            return TOO_LATE
        return None if _fits(session, sign_in, site, answer, challenge, now) else WRONG

    return factors.attempt(session, sign_in, factors.PASSKEY, check, address, now)


def _fits(
    session: Session, sign_in: SignIn, site: Site, answer: str, challenge: bytes, now: datetime
) -> bool:
    given = _parsed(answer)
    passkey = session.scalars(
        select(Passkey).where(
            Passkey.person_id == sign_in.person_id,
            Passkey.credential_id == str(given.get("id", ""))[:2048],
        )
    ).one_or_none()
    if passkey is None:
        return False
    try:
        verified = webauthn.verify_authentication_response(
            credential=given,
            expected_challenge=challenge,
            expected_rp_id=site.host,
            expected_origin=site.origin,
            credential_public_key=base64url_to_bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        return False
    # The count that was checked is the one that is moved: of two answers by a copied key that
    # come at once, one is refused.
    moved = session.execute(
        update(Passkey)
        .where(Passkey.id == passkey.id, Passkey.sign_count == passkey.sign_count)
        .values(sign_count=verified.new_sign_count, last_used_at=now)
        .execution_options(synchronize_session=False)
    )
    return isinstance(moved, CursorResult) and moved.rowcount == 1


def rename(session: Session, actor: Actor, passkey_id: UUID, name: str, now: datetime) -> Passkey:
    """Another name for one of one's own passkeys; ``Invalid``, ``NotFound``."""
    own(session, actor, passkey_id)  # absent is said before anything else is asked for
    demand_factor(session, actor, now)
    passkey = own(session, actor, passkey_id)
    passkey.name = _checked_name(name)
    session.flush()
    return passkey


def remove(
    session: Session, actor: Actor, passkey_id: UUID, now: datetime, *, keep: UUID | None = None
) -> Passkey:
    """Removes one of one's own passkeys; every session of its owner ends but the one to ``keep``.

    Not the last one where the authority demands passkeys: its owner could issue nothing more.
    """
    own(session, actor, passkey_id)  # absent is said before anything else is asked for
    demand_factor(session, actor, now)
    # Two removals at once take turns: each counts what the other has left.
    session.execute(select(Person.id).where(Person.id == actor.person_id).with_for_update())
    passkey = own(session, actor, passkey_id)
    person = session.get_one(Person, passkey.person_id)
    count = select(func.count()).select_from(Passkey).where(Passkey.person_id == person.id)
    demanded = person.authority is not None and person.authority.passkey_to_issue
    if demanded and session.scalar(count) == 1:
        detail = "Your authority issues with passkeys only, and this is your last: add one first."
        raise Invalid([FieldError("", detail)], detail)
    session.delete(passkey)
    ended = sign_ins.end_all(session, person.id, "factor_changed", now, keep=keep)
    told = {
        "what": f"A passkey was removed: {passkey.name}.",
        "address": actor.via.address if actor.via else "",
        "at": now.isoformat(),
    }
    factors.tell(session, person, "factor_changed", told, f"passkey-gone:{passkey.id}", now)
    data = {
        "person": str(person.id),
        "factor": factors.PASSKEY,
        "passkey": str(passkey.id),
        "name": passkey.name,
        "sessions_ended": ended,
        **portal_log.by(actor),
    }
    where = portal_log.organisation_of(person)
    portal_log.note(session, now, "factor_removed", actor.id, where, data)
    return passkey


def own(session: Session, actor: Actor, passkey_id: UUID) -> Passkey:
    """One of one's own passkeys; ``NotFound`` for anybody else's and for none alike."""
    passkey = session.get(Passkey, passkey_id)
    if passkey is None or actor.person_id is None or passkey.person_id != actor.person_id:
        raise NotFound
    return passkey


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or unstorable(name):
        detail = f"Give the passkey a name of 1 to {LONGEST_NAME} characters, such as its device."
        raise Invalid([FieldError("/name", detail)])
    return name


def _known(session: Session, person_id: UUID) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(passkey.credential_id),
            transports=[AuthenticatorTransport(name) for name in passkey.transports],
        )
        for passkey in of_person(session, person_id)
    ]


def _transports(given: dict[str, Any]) -> list[str]:
    """How the browser says the device is reached; what it does not know is left out."""
    response = given.get("response")
    told = response.get("transports") if isinstance(response, dict) else None
    known = [transport.value for transport in AuthenticatorTransport]
    return [name for name in known if isinstance(told, list) and name in told]


def _parsed(answer: str) -> dict[str, Any]:
    try:
        given = json.loads(answer) if len(answer) <= LARGEST else None
    except (ValueError, RecursionError):
        given = None
    return given if isinstance(given, dict) else {}


def _keep(session: Session, sign_in: SignIn, use: str, challenge: bytes, now: datetime) -> None:
    session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in.id)
        .values(challenge=f"{use}:{bytes_to_base64url(challenge)}", challenge_at=now)
        .execution_options(synchronize_session=False)
    )


def _take(session: Session, sign_in: SignIn, use: str, now: datetime) -> bytes | None:
    """The challenge, once; None where there is none, or it is too old or for something else."""
    row = session.execute(
        select(SignIn.challenge, SignIn.challenge_at).where(SignIn.id == sign_in.id)
    ).one()
    if row.challenge is None or row.challenge_at is None:
        return None
    taken = session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in.id, SignIn.challenge == row.challenge)
        .values(challenge=None, challenge_at=None)
        .execution_options(synchronize_session=False)
    )
    if not isinstance(taken, CursorResult) or taken.rowcount != 1:
        return None
    purpose, _, challenge = row.challenge.partition(":")
    if purpose != use or now - row.challenge_at > LIFE:
        return None
    return base64url_to_bytes(challenge)
