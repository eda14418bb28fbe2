"""Where the portal listens: gunicorn's own notation, checked before it is started."""

from __future__ import annotations

import re
from ipaddress import ip_address

from liaison.errors import SettingsError

HINT = (
    "it must be an address and a port, like 127.0.0.1:8000 or [::1]:8000, or unix:/path/of/socket; "
    "several with commas between."
)
_PLACE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):([0-9]{1,5})")
_HANDED = re.compile(r"unix:.+|fd://[0-9]+")
"""A socket in the file system; one that a supervisor opened."""


def listening(name: str, given: str) -> str:
    """The setting as it was given; ``SettingsError`` where gunicorn could listen on none of it."""
    for one in given.split(","):
        if not _is_place(one.strip()):
            raise SettingsError(f"{name} is {given!r}; {HINT}")
    return given


def hosts(given: str) -> list[str]:
    """The names among the addresses, which the machine must know."""
    found = (_PLACE.fullmatch(one.strip()) for one in given.split(","))
    return [place[1] for place in found if place and place[1] and not _is_address(place[1])]


def _is_place(text: str) -> bool:
    if _HANDED.fullmatch(text):
        return True
    found = _PLACE.fullmatch(text)
    if found is None or not 0 < int(found[2]) < 65536:
        return False
    return _is_address(found[1]) if found[1].startswith("[") else True


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
