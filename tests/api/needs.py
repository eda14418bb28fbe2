"""Sets the stage for the examples of the reference: one function for each ``needs`` of its table.

Each gives the variables of the reader's shell that such an example names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import update

from liaison.models import ApiKey
from liaison.services import keys, webhooks
from tests import keeping, threads
from tests.hooks import made, queued, stream
from tests.world import World

Variables = Mapping[str, str]


def _nothing(world: World) -> Variables:
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


def _webhook(world: World) -> Variables:
    hook, _ = made(world, f"https://{world.issue().name.lower()}.example/")
    return {"WEBHOOK": str(hook)}


def _delivery(world: World) -> Variables:
    url = f"https://{world.issue().name.lower()}.example/"
    hook, _ = made(world, url)
    with world.database.transaction() as session:
        webhooks.queue(session, hook, url, stream(world)[-1], world.now)
    return {"WEBHOOK": str(hook), "DELIVERY": str(queued(world, hook)[0].id)}


def _draft(world: World) -> Variables:
    written = world.draft("03-cgnat-fraud-routine.json")
    return {"ORDER": written.name, "VERSION": str(written.version)}


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


def keys_for_all(world: World) -> None:
    """The providers' keys may do all that a key can."""
    with world.database.transaction() as session:
        session.execute(update(ApiKey).values(scopes=list(keys.SCOPES)))


def key_of(world: World, path: str) -> str:
    """The key with which a call of this address is made."""
    return world.key("Meridian Telecom")
