"""What keeps a webhook from being turned against our own network (SSRF).

A name is looked up once, every address it stands for is checked, and the connection goes to one
of those that were checked: between check and use nobody can put another in its place.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from liaison.delivery.base import DeliveryError
from liaison.domain.reach import is_denied

Resolve = Callable[[str, int], Sequence[str]]
"""A host and a port in, every address it stands for out; ``OSError`` where there is none."""

Dial = Callable[[str, int, float], socket.socket]
"""Connects to an address, not to a name, within so many seconds."""


def resolve(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says, each address once, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def dial(address: str, port: int, seconds: float) -> socket.socket:
    """A connection to an address that was checked."""
    return socket.create_connection((address, port), seconds)


def checked(host: str, port: int, look_up: Resolve, *, loopback: bool) -> Sequence[str]:
    """The addresses of a host, all of them allowed; ``DeliveryError`` where one is not."""
    try:
        found = look_up(host, port)
    except (OSError, ValueError):
        raise DeliveryError("The name was not found.") from None
    if not found:
        raise DeliveryError("The name stands for no address.")
    if any(is_denied(address, loopback=loopback) for address in found):
        raise DeliveryError(
            "The name stands for an address that is not on the public internet: nothing was sent."
        )
    return found
