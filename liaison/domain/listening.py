"""Where the portal listens and with how many processes, checked before gunicorn is started.

Not where the settings are read: the worker reads them too, and must call people however the
portal's socket is spelled.
"""

from __future__ import annotations

import re
from ipaddress import ip_address

from liaison.errors import SettingsError

HINT = (
    "it must be an address and a port, like 127.0.0.1:8000 or [::1]:8000, or unix:/path/of/socket; "
    "several with commas between."
)
MOST_PROCESSES = 64
"""With 16 threads each: more than one database takes."""
_PLACE = re.compile(r"(?:tcp://)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*|\*):([0-9]{1,5})")
_HANDED = re.compile(r"unix:.+|fd://[0-9]+")
"""A socket in the file system; one that a supervisor opened."""


def places(given: str) -> list[str]:
    """``LIAISON_BIND``, one by one; ``SettingsError`` where gunicorn could not listen there.

    Gunicorn takes a list: it splits no text that its file of settings gives it.
    """
    found = [one.strip() for one in given.split(",")]
    if not all(map(_is_place, found)):
        raise SettingsError(f"LIAISON_BIND is {given!r}; {HINT}")
    return found


def hosts(given: str) -> list[str]:
    """The names among the addresses, which the machine must know."""
    found = (_PLACE.fullmatch(one) for one in places(given))
    names = [place[1] for place in found if place and place[1] not in ("", "*")]
    return [name for name in names if not _is_address(name)]


def processes(given: str) -> int:
    """``LIAISON_PROCESSES``; ``SettingsError`` where it is no number of processes."""
    if given.isascii() and given.isdigit() and len(given) < 6 and 0 < int(given) <= MOST_PROCESSES:
        return int(given)
    raise SettingsError(f"LIAISON_PROCESSES is {given!r}; it must be 1 to {MOST_PROCESSES}.")


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
