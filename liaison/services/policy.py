"""An authority's rules of access."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.errors import Forbidden
from liaison.models import Authority
from liaison.services import access_letters, guards, portal_log


def demand_right(actor: Actor) -> None:
    """``Forbidden`` unless the actor may set rules, and belongs to an authority."""
    demand(actor, Verb.SET_POLICY)
    if actor.authority_id is None:
        raise Forbidden("Only an authority has this rule.")


def set_passkey_to_issue(
    session: Session, actor: Actor, demanded: bool, now: datetime
) -> Authority:
    """Whether the actor's authority issues with a passkey only."""
    demand_right(actor)
    guards.fresh_factor(actor, now)
    authority = session.get_one(Authority, actor.authority_id)
    if authority.passkey_to_issue is not demanded:
        authority.passkey_to_issue = demanded
        told = {"passkey_to_issue": demanded, **portal_log.by(actor)}
        where = portal_log.organisation_of_actor(actor)
        portal_log.note(session, now, "policy_changed", actor.id, where, told)
        how = "with a passkey only" if demanded else "with any second factor"
        what = f"Orders of {authority.name} are issued {how} from now on."
        access_letters.tell(session, actor, what, now)
    return authority
