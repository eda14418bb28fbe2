"""Sets the stage for the examples of the reference: one function for each ``needs`` of its table.

Each gives the variables of the reader's shell that such an example names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests import keeping, threads
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


STAGE: Mapping[str, Callable[[World], Variables]] = {
    "nothing": _nothing,
    "issued": _issued,
    "file": _file,
    "extension": _extension,
    "released": _released,
}


def key_of(world: World, path: str) -> str:
    """The key with which a call of this address is made."""
    return world.key("Meridian Telecom")
