"""Sets the stage for the examples of the reference: one function for each ``needs`` of its table.

Each gives the variables of the reader's shell that such an example names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from sqlalchemy import update

from liaison.api import doors
from liaison.models import Provider, WebhookEndpoint
from liaison.models.webhooks import EndpointState
from liaison.services import keys, orders, webhooks
from tests import keeping, threads
from tests.api.case_systems import bearer
from tests.hooks import made, queued, stream
from tests.world import ADDRESS, World

Variables = Mapping[str, str]


def _nothing(world: World) -> Variables:
    """Nor does anything stand in the way: a webhook that is there already, for instance."""
    with world.database.transaction() as session:
        session.execute(update(WebhookEndpoint).values(state=EndpointState.REMOVED))
    return {}


def _issued(world: World) -> Variables:
    return {"ORDER": world.issue().name}


def _file(world: World) -> Variables:
    order = world.issue()
    asked = threads.ask(world, order, files=threads.accepted())
    return {"ORDER": order.name, "ATTACHMENT": str(asked.attachments[0].id)}


def _extension(world: World) -> Variables:
    kept = world.preserve(world.issue(), days=60)
    keeping.ask(world, kept, days=90)
    return {"ORDER": kept.name}


def _released(world: World) -> Variables:
    kept = world.preserve(world.issue(), days=60)
    keeping.release(world, kept)
    return {"ORDER": kept.name}


def _hook(world: World) -> tuple[UUID, str]:
    """A webhook, and where it leads; those before it are removed, for a provider may have ten."""
    _nothing(world)
    url = f"https://{world.issue().name.lower()}.example/"
    return made(world, url)[0], url


def _webhook(world: World) -> Variables:
    return {"WEBHOOK": str(_hook(world)[0])}


def _delivery(world: World) -> Variables:
    hook, url = _hook(world)
    with world.database.transaction() as session:
        webhooks.queue(session, hook, url, stream(world)[-1], world.now)
    return {"WEBHOOK": str(hook), "DELIVERY": str(queued(world, hook)[0].id)}


def _draft(world: World) -> Variables:
    """Written by a program, so that a program may change it."""
    key = key_for(world, doors.PREFIX)
    with world.database.transaction() as session:
        _, program = keys.actor_for_key(session, key, ADDRESS, world.now)
        written = orders.draft(session, program, world.data(), world.now)
        session.flush()
        return {"ORDER": str(written.id), "VERSION": str(written.version)}


STAGE: Mapping[str, Callable[[World], Variables]] = {
    "nothing": _nothing,
    "issued": _issued,
    "file": _file,
    "extension": _extension,
    "released": _released,
    "webhook": _webhook,
    "delivery": _delivery,
    "draft": _draft,
}


def key_for(world: World, path: str) -> str:
    """A new key that may make a call of this address; what it did, no other key has done."""
    if path.startswith(doors.PREFIX):
        return bearer(world)["Authorization"].removeprefix("Bearer ")
    with world.database.transaction() as session:
        meridian = session.get_one(Provider, world.register.providers["Meridian Telecom"])
        return keys.make_key(session, meridian, "Reader", keys.SCOPES, world.now)[1]
