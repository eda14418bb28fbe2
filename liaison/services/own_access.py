"""What people change about their own access: password, authenticator, recovery codes.

Each needs a fresh factor, ends the other sessions where a factor changed, tells the person by
letter and is noted in the portal log.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from liaison.domain import password_rules
from liaison.errors import FieldError, Invalid, Stale
from liaison.models import Person, SignIn
from liaison.services import factors, guards, recovery, sign_ins, throttle, totp
from liaison.services.factors import PER_PLACE, WINDOW, Refused
from liaison.services.vault import Vault

NOT_YOURS = "This is not your password."
NOT_NEW = "Choose a password that differs from the one you have."


def count_password_try(
    session: Session, sign_in: SignIn, address: str, now: datetime
) -> Refused | None:
    """Counts a try of the old password; the caller commits, then checks it."""
    guards.fresh_factor(factors.actor(sign_in, address), now)
    key = f"password:{sign_in.person_id}:{throttle.place(address)}"
    wait = throttle.count(session, key, PER_PLACE, WINDOW, now)
    return Refused(f"Too many tries. Try again in {factors.minutes(wait)}.", wait) if wait else None


def note_wrong_password(session: Session, sign_in: SignIn, address: str, now: datetime) -> None:
    """The old password was wrong: whoever sits at an open session may not be its owner."""
    factors.note(session, sign_in, "step_up_refused", {"factor": "password"}, address, now)


def check_password(person: Person, old: str, new: str) -> None:
    """``Invalid`` where the new password breaks a rule."""
    fault = password_rules.fault(new, (person.email, person.name))
    if fault is not None:
        raise Invalid([FieldError("/new_password", fault)])
    if new == old:
        raise Invalid([FieldError("/new_password", NOT_NEW)])


def change_password(
    session: Session, sign_in: SignIn, old_hash: str, new_hash: str, address: str, now: datetime
) -> int:
    """Takes the new password; how many other sessions it ended.

    ``old_hash`` is the one the old password was checked against: who changed it meanwhile wins.
    """
    guards.fresh_factor(factors.actor(sign_in, address), now)
    changed = session.execute(
        update(Person)
        .where(Person.id == sign_in.person_id, Person.password_hash == old_hash)
        .values(password_hash=new_hash, password_changed_at=now)
        .execution_options(synchronize_session=False)
    )
    if not isinstance(changed, CursorResult) or changed.rowcount != 1:
        raise Stale("The password was changed meanwhile, in another session. Nothing was done.")
    ended = sign_ins.end_all(session, sign_in.person_id, "password_changed", now, keep=sign_in.id)
    key = f"password:{sign_in.person_id}:{throttle.place(address)}"
    throttle.forget(session, key)
    _tell(session, sign_in, "Your password was changed.", address, now)
    factors.note(session, sign_in, "password_changed", {"sessions_ended": ended}, address, now)
    return ended


def replace_authenticator(
    session: Session,
    vault: Vault,
    sign_in: SignIn,
    secret: str,
    code: str,
    address: str,
    now: datetime,
) -> Refused | None:
    """The new secret takes the old one's place, once a code shows that it was scanned.

    A recovery code counts as the fresh factor here: that is what it is for. A factor that is
    switched off stays so: only an administrator, or a reset, brings it back.
    """
    guards.fresh_factor(factors.actor(sign_in, address), now, recovery=True)
    # Locked: wrong tries elsewhere may switch it off at this moment.
    off = select(Person.factor_off_at).where(Person.id == sign_in.person_id).with_for_update()
    if session.scalar(off) is not None:
        return Refused(totp.OFF)
    step = totp.step_of(secret, code, now)
    if step is None:
        return Refused(totp.WRONG)
    person = sign_in.person
    set_authenticator(session, vault, person, secret, step)
    ended = sign_ins.end_all(session, person.id, "factor_changed", now, keep=sign_in.id)
    _tell(session, sign_in, "Your authenticator was replaced by another one.", address, now)
    data = {"factor": factors.TOTP, "replaced": True, "sessions_ended": ended}
    factors.note(session, sign_in, "factor_added", data, address, now)
    factors.freshen(session, sign_in, factors.TOTP, now)
    return None


def set_authenticator(
    session: Session, vault: Vault, person: Person, secret: str, step: int
) -> None:
    """Writes a confirmed secret; the code that confirmed it, and older ones, are used up."""
    session.execute(
        update(Person)
        .where(Person.id == person.id)
        .values(
            totp_secret=vault.seal(secret),
            totp_last_step=step,
            factor_failures=0,
        )
        .execution_options(synchronize_session=False)
    )


def new_recovery_codes(session: Session, sign_in: SignIn, address: str, now: datetime) -> list[str]:
    """Ten new recovery codes, to be shown once; the old ones and other sessions end."""
    guards.fresh_factor(factors.actor(sign_in, address), now)
    codes = recovery.make(session, sign_in.person, now)
    ended = sign_ins.end_all(session, sign_in.person_id, "factor_changed", now, keep=sign_in.id)
    _tell(session, sign_in, "New recovery codes were made; the old ones are void.", address, now)
    data = {"codes": len(codes), "sessions_ended": ended}
    factors.note(session, sign_in, "recovery_codes_made", data, address, now)
    return codes


def _tell(session: Session, sign_in: SignIn, what: str, address: str, now: datetime) -> None:
    told = {"what": what, "address": address, "at": now.isoformat()}
    # Two changes at one moment are one letter each: what it says belongs to its key.
    key = f"{sign_in.id}:{now.isoformat()}:{what}"
    factors.tell(session, sign_in.person, "factor_changed", told, key, now)
