"""What the tests of contacts share: who is whom, a form's fields, what was written to whom."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from liaison.domain.vocabulary import Function
from liaison.models import Authority, Contact, ContactChange, Entry, Message, Provider
from liaison.services import contacts, verifications
from tests.world import World

NEW_NUMBER = "+37477000242"
KEEPER, SPOC_MAIL = "t.avagyan@meridian.example", "spoc@meridian.example"
DUTY, SUPERVISOR = "duty@police.example", "supervisor@police.example"
FOREIGN = {"duty@politie.example", "supervisor@politie.example"}

BOTH_SIDES = {KEEPER, SPOC_MAIL, DUTY, SUPERVISOR, *FOREIGN}
"""Who is told of a change of Meridian's SPOC."""


def contact(
    world: World, function: Function = Function.PRIMARY, of: str = "Meridian Telecom"
) -> Contact:
    """A contact as it stands; its organisation by name or code."""
    with world.database.reading() as session:
        table = Authority if of in world.register.authorities else Provider
        known = {**world.register.authorities, **world.register.providers}
        whose = Contact.authority_id if table is Authority else Contact.provider_id
        query = select(Contact).where(whose == known[of], Contact.function == function)
        return session.scalars(query.order_by(Contact.position).limit(1)).one()


def given(of: Contact | None = None, **changes: Any) -> dict[str, Any]:
    """The form's fields, of a new contact or of one as it stands, with some typed over."""
    if of is None:
        fields: dict[str, Any] = {
            "name": "Night desk",
            "function": "deputy",
            "email": "night@meridian.example",
            "phone": "+37410000777",
            "channels": ["email", "call"],
            "languages": "hy, en",
            "review_on": "",
        }
    else:
        fields = contacts.as_kept(of) | {
            "name": of.name,
            "languages": ", ".join(of.languages),
            "review_on": of.review_on.isoformat(),
        }
    return fields | changes


def change(
    world: World, of: Contact, by: str = "provider_administrator", **changes: Any
) -> ContactChange | None:
    """A change asked for, committed."""
    with world.database.transaction() as session:
        actor = world.actor(by)
        return contacts.change(session, actor, of.id, given(of, **changes), world.now)


def read(world: World, contact_id: UUID) -> Contact:
    """The contact as it stands now."""
    with world.database.reading() as session:
        return session.get_one(Contact, contact_id)


def the_change(world: World, change_id: UUID) -> ContactChange:
    """A change as it stands now."""
    with world.database.reading() as session:
        return session.get_one(ContactChange, change_id)


def written(world: World, letter: str) -> dict[str, dict[str, Any]]:
    """The letters of a kind, by address: what they tell."""
    with world.database.reading() as session:
        query = select(Message).where(Message.letter == f"register/{letter}")
        return {m.address: m.params for m in session.scalars(query)}


def logged(world: World) -> list[str]:
    """The types of the portal log's entries, in order."""
    with world.database.reading() as session:
        query = select(Entry.type).where(Entry.type.startswith("portal.contact"))
        return [t.removeprefix("portal.") for t in session.scalars(query.order_by(Entry.seq))]


def verify(
    world: World,
    of: UUID,
    way: str,
    *,
    by: str = "provider_administrator",
    caller: str = "officer",
) -> str | None:
    """The whole way of a code, to whatever is to be verified; what was wrong, if anything."""
    with world.database.transaction() as session:
        row = verifications.ask(session, world.vault, world.actor(by), of, way, world.now)
        if way == "phone":
            verifications.call(session, world.vault, world.actor(caller), row.id, world.now)
        code = world.vault.open(row.sealed_code)
        return verifications.enter(session, world.vault, world.actor(by), of, way, code, world.now)
