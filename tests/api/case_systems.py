"""A contact point's case system: a program whose key an administrator made."""

from __future__ import annotations

from flask import Flask

from liaison.models import Authority
from liaison.services import keys
from tests.api.program import Program
from tests.world import World

ADDRESS_OF = "/authority/orders"


def case_system(
    app: Flask,
    world: World,
    *scopes: str,
    code: str = "CP",
    maker: str = "administrator",
    name: str = "Case system",
) -> Program:
    """A program with a key of the authority; it may do all that one can, unless ``scopes``."""
    return Program(app.test_client(), bearer(world, *scopes, code=code, maker=maker, name=name))


def bearer(
    world: World,
    *scopes: str,
    code: str = "CP",
    maker: str = "administrator",
    name: str = "Case system",
) -> dict[str, str]:
    """The header that presents a new key of an authority."""
    with world.database.transaction() as session:
        authority = session.get_one(Authority, world.register.authorities[code])
        wanted, person = scopes or keys.AUTHORITY_SCOPES, world.person(maker).id
        made = keys.make_key(session, authority, name, wanted, world.now, created_by_id=person)
    return {"Authorization": f"Bearer {made[1]}"}
