"""Drafts saved as they are typed, whole or not: sealed, and open to the authority's drafters.

One is begun with the first save and ends when the order comes of it, or when it is discarded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.domain.reading import unstorable
from liaison.errors import FieldError, Forbidden, Invalid, NotFound, SettingsError, Stale
from liaison.models import Order, Presence, UnfinishedDraft
from liaison.models.base import insert_once, new_id
from liaison.services import guards, typists
from liaison.services.kept_forms import Fields
from liaison.services.vault import Vault

MOST = 50
"""Unfinished drafts that one person has begun; nothing typed gives way to make room."""

LONGEST_TITLE = 80


GONE = (
    "This draft was discarded meanwhile, or the order was made of it. Yours is not saved; it "
    "stands here as you typed it."
)


class DraftSaved(Stale):
    """Somebody else saved the draft, or ended it, since it was read."""

    title = "Somebody else saved this draft meanwhile"


def save(
    session: Session,
    vault: Vault,
    actor: Actor,
    draft_id: UUID | None,
    order_id: UUID | None,
    fields: Fields,
    edit: int,
    now: datetime,
    *,
    earlier: Sequence[UUID] = (),
) -> UnfinishedDraft:
    """Keeps the form as it stands; ``edit`` counts the saves that whoever typed had read.

    ``draft_id`` may be one that no draft has yet: it begins it, so that a save sent twice makes
    one. ``order_id`` is the draft order that is being changed. ``earlier`` are drafts whose text
    the form goes on with, there or discarded: their typists count here, too. ``DraftSaved`` where
    another person saved a newer one: nothing is written over it.
    """
    row = _read(_row(session, actor, draft_id, order_id), draft_id, edit)
    text = json.dumps([list(field) for field in fields])
    title = _title(fields)
    if row is None:
        row, is_new = _begun(session, actor, draft_id, order_id, title, vault.seal(text), now)
        if is_new:
            _note_writers(session, row, actor, earlier, now)
            return row
    _demand_read(row, actor, edit)
    if _text(vault, row) == text:
        return row  # the same once more: a second click, or nothing new was typed
    row.title, row.sealed, row.edit = title, vault.seal(text), row.edit + 1
    row.saved_by_id, row.saved_at = _person(actor), now
    session.flush()
    session.expire(row, ["saved_by"])
    _note_writers(session, row, actor, earlier, now)
    return row


def find(session: Session, actor: Actor, draft_id: UUID, *, lock: bool = False) -> UnfinishedDraft:
    """One of the actor's authority; ``NotFound`` for another's and for none."""
    _drafter(actor)
    row = _of_authority(session, actor, UnfinishedDraft.id == draft_id, lock=lock)
    if row is None:
        raise NotFound
    return row


def of_order(session: Session, actor: Actor, order: Order) -> UnfinishedDraft | None:
    """What was typed so far to change a draft order; None where nothing waits."""
    return _of_authority(session, actor, UnfinishedDraft.order_id == order.id)


def listed(session: Session, actor: Actor) -> Sequence[UnfinishedDraft]:
    """The authority's unfinished drafts, the last saved first.

    Changes to a draft order are among them while it is a draft: one that is submitted has to come
    back first.
    """
    _drafter(actor)
    query = (
        select(UnfinishedDraft)
        .outerjoin(Order, Order.id == UnfinishedDraft.order_id)
        .where(
            UnfinishedDraft.authority_id == actor.authority_id,
            or_(UnfinishedDraft.order_id.is_(None), Order.state == OrderState.DRAFT),
        )
    )
    order = (UnfinishedDraft.saved_at.desc(), UnfinishedDraft.id.desc())
    return session.scalars(query.order_by(*order).limit(200)).all()


def fields_of(vault: Vault, row: UnfinishedDraft) -> Fields:
    """The form as it was saved; ``NotFound`` where no key of the ring opens it any more."""
    text = _text(vault, row)
    if text is None:
        raise NotFound(
            "This draft was sealed with a key that the portal has no longer: it cannot be read."
        )
    return tuple((name, value) for name, value in json.loads(text))


def discard(session: Session, actor: Actor, draft_id: UUID) -> None:
    """Throws an unfinished draft away. Who typed into it is remembered: a page may show it yet."""
    _forget(session, find(session, actor, draft_id, lock=True))


def ready(
    session: Session, actor: Actor, draft_id: UUID | None, order_id: UUID | None, edit: int
) -> UnfinishedDraft | None:
    """The draft, locked, that an order is about to be made of; None where none was saved.

    ``DraftSaved`` where another person saved a newer version than the one that was read, or ended
    the draft: whoever typed into it must not be lost on the way.
    """
    row = _read(_row(session, actor, draft_id, order_id), draft_id, edit)
    if row is not None:
        _demand_read(row, actor, edit)
    return row


def credit(
    session: Session, actor: Actor, drafts: Sequence[UUID], made: Sequence[Order], now: datetime
) -> None:
    """The orders hold the text of these drafts, there or gone: their typists have written them."""
    if actor.authority_id is not None:
        typists.credit(session, actor.authority_id, drafts, made, now)


def finish(session: Session, row: UnfinishedDraft, made: Sequence[Order], now: datetime) -> None:
    """The orders were made of it: whoever typed into it has written them, and it is gone."""
    typists.credit(session, row.authority_id, [row.id], made, now)
    _forget(session, row)


def _drafter(actor: Actor) -> None:
    decide(OrderState.DRAFT, Action.EDIT, actor.roles)
    if actor.authority_id is None or actor.person_id is None:
        raise Forbidden("Only a person of a contact point writes drafts in the portal.")


def _person(actor: Actor) -> UUID:
    assert actor.person_id is not None, "a drafter is a person"
    return actor.person_id


def _row(
    session: Session, actor: Actor, draft_id: UUID | None, order_id: UUID | None
) -> UnfinishedDraft | None:
    """The draft, locked; None where it is to be begun.

    Another authority's is no draft at all; neither is one of another order, or of none, than the
    page writes.
    """
    _drafter(actor)
    if order_id is not None:
        guards.order_for(session, actor, str(order_id), Action.EDIT)
        return _of_authority(session, actor, UnfinishedDraft.order_id == order_id, lock=True)
    if draft_id is None:
        return None
    row = _of_authority(session, actor, UnfinishedDraft.id == draft_id, lock=True)
    if row is None and session.get(UnfinishedDraft, draft_id) is not None:
        raise NotFound
    if row is not None and row.order_id is not None:
        raise NotFound
    return row


def _read(row: UnfinishedDraft | None, draft_id: UUID | None, edit: int) -> UnfinishedDraft | None:
    """The same; ``DraftSaved`` where what was read is gone, or another draft in its place."""
    if edit and row is None:
        raise DraftSaved(GONE)
    if edit and row is not None and draft_id is not None and row.id != draft_id:
        raise DraftSaved(
            f"The draft that you read is gone; {row.saved_by.name} began another one at "
            f"{row.saved_at:%H:%M:%S} UTC. Yours is not saved over it."
        )
    return row


def _of_authority(
    session: Session, actor: Actor, which: ColumnElement[bool], *, lock: bool = False
) -> UnfinishedDraft | None:
    query = select(UnfinishedDraft).where(which, UnfinishedDraft.authority_id == actor.authority_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.scalars(query).one_or_none()


def _begun(
    session: Session,
    actor: Actor,
    draft_id: UUID | None,
    order_id: UUID | None,
    title: str,
    sealed: str,
    now: datetime,
) -> tuple[UnfinishedDraft, bool]:
    """The new draft, and whether it is new: two saves of one form may come at one moment."""
    mine = UnfinishedDraft.begun_by_id == actor.person_id
    if (session.scalar(select(func.count()).where(mine)) or 0) >= MOST:
        said = f"You have {MOST} unfinished drafts. Discard some, then save this one."
        raise Invalid([FieldError("", said)])
    person = _person(actor)
    values = {
        "id": draft_id or new_id(),
        "authority_id": actor.authority_id,
        "order_id": order_id,
        "title": title,
        "sealed": sealed,
        "edit": 1,
        "begun_by_id": person,
        "begun_at": now,
        "saved_by_id": person,
        "saved_at": now,
    }
    is_new = insert_once(session, UnfinishedDraft, values)
    row = _of_authority(session, actor, UnfinishedDraft.id == values["id"], lock=True)
    if row is None or row.order_id != order_id:
        raise NotFound
    return row, is_new


def _demand_read(row: UnfinishedDraft, actor: Actor, edit: int) -> None:
    """``DraftSaved`` where another person's save is newer than what the actor has read."""
    if edit == row.edit or row.saved_by_id == actor.person_id:
        return
    raise DraftSaved(
        f"{row.saved_by.name} saved a newer version at {row.saved_at:%H:%M:%S} UTC on "
        f"{row.saved_at:%Y-%m-%d}. Yours is not saved over it."
    )


def _note_writers(
    session: Session, row: UnfinishedDraft, actor: Actor, earlier: Sequence[UUID], now: datetime
) -> None:
    typists.note(session, row.id, _person(actor), now)
    typists.go_on(session, row.authority_id, earlier, row.id, now)


def _forget(session: Session, row: UnfinishedDraft) -> None:
    draft_id = row.id
    for table, where in (
        (Presence, Presence.subject == draft_id),
        (UnfinishedDraft, UnfinishedDraft.id == draft_id),
    ):
        statement = delete(table).where(where)
        session.execute(statement.execution_options(synchronize_session=False))
    session.expunge(row)


def _text(vault: Vault, row: UnfinishedDraft) -> str | None:
    try:
        return vault.open(row.sealed)
    except SettingsError:
        return None  # sealed with a key that has left the ring since


def _title(fields: Fields) -> str:
    """What the list calls it: case number, else offence; and the provider."""
    given = dict(fields)
    names = ("investigating_authority-case_number", "offence")
    what = next((given[name].strip() for name in names if given.get(name, "").strip()), "")
    parts = [what or "No case number yet", given.get("provider", "").strip()]
    title = ", ".join(part for part in parts if part)
    if unstorable(title):
        raise Invalid([FieldError("", "Remove the NUL character or broken character.")])
    return title if len(title) <= LONGEST_TITLE else f"{title[:LONGEST_TITLE]}…"
