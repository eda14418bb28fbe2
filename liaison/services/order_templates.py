"""Templates: a form filled in part, kept by an authority's drafters to begin an order with.

What is saved from an order's form leaves the case out: identifiers, periods, case numbers,
references, facts and dates. Whatever is typed into a template's own form is kept as it stands.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.domain.reading import check_texts
from liaison.errors import FieldError, Forbidden, Invalid, NotFound, SettingsError, Stale
from liaison.models import Authority, OrderTemplate
from liaison.services.kept_forms import Fields
from liaison.services.vault import Vault

MOST = 200
"""Templates of one authority."""

LONGEST_NAME = 80

_NAME = "/template_name"

_OF_THE_CASE = re.compile(
    r"version|request_id|copied_from|further|paste-.*|facts|emergency_ground|confidential_until|mla-expected_by"
    r"|investigating_authority-case_number|prosecution-case_number"
    r"|origin-(reference|previous-.*)|issuing_officer-.*"
    r"|targets-0-(value|start|start_zone|end|end_zone|port|protocol|service)|targets-[1-9].*"
)
"""Fields that an order's form does not give to a template."""


class TemplateChanged(Stale):
    """Somebody else changed the template, or deleted it, since it was read."""

    title = "The template changed in the meantime"


def without_case(fields: Fields) -> Fields:
    """An order's form without what belongs to its case; of its targets what data are wanted."""
    return tuple(field for field in fields if not _OF_THE_CASE.fullmatch(field[0]))


def save(
    session: Session, vault: Vault, actor: Actor, name: str, fields: Fields, now: datetime
) -> OrderTemplate:
    """A new template under a name that no other of the authority has."""
    authority = _drafter(actor)
    name = _name(name)
    # Two of one name at one moment: the authority's row lets one after the other.
    session.execute(select(Authority.id).where(Authority.id == authority).with_for_update())
    _demand_free(session, authority, name, None)
    mine = select(func.count()).where(OrderTemplate.authority_id == authority)
    if (session.scalar(mine) or 0) >= MOST:
        raise Invalid([FieldError(_NAME, f"There are {MOST} templates. Delete one first.")])
    row = OrderTemplate(authority_id=authority)
    _write(row, vault, actor, name, fields, now)
    session.add(row)
    session.flush()
    return row


def change(
    session: Session,
    vault: Vault,
    actor: Actor,
    template_id: UUID,
    name: str,
    fields: Fields,
    edit: int,
    now: datetime,
) -> OrderTemplate:
    """A template written anew, its name too; ``edit`` is the one that was read."""
    authority = _drafter(actor)
    session.execute(select(Authority.id).where(Authority.id == authority).with_for_update())
    row = find(session, actor, template_id, lock=True)
    name = _name(name)
    _demand_free(session, authority, name, row.id)
    if edit != row.edit:
        raise TemplateChanged(
            f"{row.changed_by} changed this template at {row.changed_at:%Y-%m-%d %H:%M:%S} UTC. "
            "Yours is not stored; it stands below as you typed it."
        )
    row.edit += 1
    _write(row, vault, actor, name, fields, now)
    session.flush()
    return row


def remove(session: Session, actor: Actor, template_id: UUID) -> None:
    """Deletes a template. Orders that were begun with it stay as they are."""
    session.delete(find(session, actor, template_id, lock=True))
    session.flush()


def find(session: Session, actor: Actor, template_id: UUID, *, lock: bool = False) -> OrderTemplate:
    """One of the actor's authority; ``NotFound`` for another's and for none."""
    authority = _drafter(actor)
    query = select(OrderTemplate).where(
        OrderTemplate.id == template_id, OrderTemplate.authority_id == authority
    )
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = session.scalars(query).one_or_none()
    if row is None:
        raise NotFound
    return row


def listed(session: Session, actor: Actor) -> Sequence[OrderTemplate]:
    """The authority's templates by name."""
    query = select(OrderTemplate).where(OrderTemplate.authority_id == _drafter(actor))
    return session.scalars(query.order_by(OrderTemplate.name_key)).all()


def fields_of(vault: Vault, row: OrderTemplate) -> Fields:
    """What the form begins with; ``NotFound`` where no key of the ring opens it any more."""
    try:
        text = vault.open(row.sealed)
    except SettingsError:
        raise NotFound(
            "This template was sealed with a key that the portal has no longer: delete it and "
            "save it anew."
        ) from None
    return tuple((name, value) for name, value in json.loads(text))


def _drafter(actor: Actor) -> UUID:
    decide(OrderState.DRAFT, Action.EDIT, actor.roles)
    if actor.authority_id is None:
        raise Forbidden("Only a contact point has templates.")
    return actor.authority_id


def _name(name: str) -> str:
    name = " ".join(name.split())
    check_texts((_NAME, name, LONGEST_NAME))
    if not name:
        raise Invalid([FieldError(_NAME, "Give the template a name.")])
    return name


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()


def _demand_free(session: Session, authority: UUID, name: str, own: UUID | None) -> None:
    query = select(OrderTemplate.id).where(
        OrderTemplate.authority_id == authority, OrderTemplate.name_key == _key(name)
    )
    if session.scalar(query) not in (None, own):
        said = "A template of this name is there already. Choose another, or change that one."
        raise Invalid([FieldError(_NAME, said)])


def _write(
    row: OrderTemplate, vault: Vault, actor: Actor, name: str, fields: Fields, now: datetime
) -> None:
    row.name, row.name_key = name, _key(name)
    row.sealed = vault.seal(json.dumps([list(field) for field in fields]))
    row.changed_by, row.changed_at = actor.name, now
