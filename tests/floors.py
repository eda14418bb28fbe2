"""The house's floors as data, and what reads the imports of a module against them."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "liaison"

ANY = frozenset({"*"})
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Room:
    """A room: everything on a lower floor may be imported, but for ``never``.

    ``beside`` are rooms of the same floor or above that it may import all the same.
    ``libraries`` are the packages from outside that have a place in it (the standard library
    has one everywhere, but for ``shut``).
    """

    floor: int
    libraries: frozenset[str] = NOTHING
    beside: frozenset[str] = NOTHING
    never: frozenset[str] = NOTHING
    shut: frozenset[str] = NOTHING


_FLASK = frozenset(
    {"flask", "flask_login", "flask_wtf", "flask_bootstrap", "flask_openapi3", "werkzeug"}
)
_SENDING = frozenset({"smtplib", "socket", "http", "ssl", "subprocess"})
_EFFECTS = _SENDING | {"os", "pathlib", "sqlite3", "threading", "time", "random", "logging", "io"}
_DELIVERY = frozenset({"delivery"})

ROOMS = {
    "errors": Room(0),
    "clock": Room(0),
    # Signs and proves webhooks; a moment is handed in.
    "signatures": Room(0, shut=_EFFECTS),
    # Says which setting is wrong by raising SettingsError; what is an address the domain knows.
    "settings": Room(0, beside=frozenset({"errors", "domain"})),
    "logs": Room(0, frozenset({"structlog"}), beside=frozenset({"settings"})),
    # The rules: no clock is read, nothing is opened or sent. Of `clock` it has the way a moment
    # is written, of `errors` the refusals.
    "domain": Room(
        0,
        frozenset(
            {
                "phonenumbers",
                "email_validator",
                "publicsuffixlist",
                "confusable_homoglyphs",
                "idna",
            }
        ),
        beside=frozenset({"errors", "clock"}),
        shut=_EFFECTS,
    ),
    "models": Room(1, frozenset({"sqlalchemy", "uuid6"}), shut=_SENDING),
    "documents": Room(
        1,
        frozenset({"jinja2", "markupsafe", "rfc8785", "icalendar", "joserfc"}),
        shut=_SENDING,
    ),
    "delivery": Room(1),
    # The operator's own scanner: runs a command, and must never run within a transaction.
    "scanning": Room(1, frozenset({"structlog"})),
    # Sets documents in a process of its own; never within a transaction either.
    "typesetting": Room(1, frozenset({"structlog", "typst"})),
    "services": Room(
        2,
        frozenset(
            {
                "sqlalchemy",
                "alembic",
                "argon2",
                "cryptography",
                "itsdangerous",
                "pyotp",
                "rfc8785",
                "structlog",
                "webauthn",
            }
        ),
        beside=frozenset({"queries"}),
        never=_DELIVERY | {"scanning", "typesetting"},
        shut=_SENDING,
    ),
    "queries": Room(
        2,
        frozenset({"sqlalchemy", "holidays"}),
        beside=frozenset({"services"}),
        never=_DELIVERY | {"scanning", "typesetting"},
        shut=_SENDING,
    ),
    # Flask's plumbing, shared by the two doors.
    "web": Room(3, ANY, never=_DELIVERY),
    "portal": Room(3, ANY, beside=frozenset({"web"}), never=_DELIVERY),
    "api": Room(3, ANY, beside=frozenset({"web"}), never=_DELIVERY),
    "checks": Room(3, frozenset({"sqlalchemy"}), never=_DELIVERY),
    # The command line starts what runs: the worker, the demo; and it shows the checks.
    "cli": Room(
        3, frozenset({"click", "sqlalchemy"}), frozenset({"worker", "demo", "checks"}), _DELIVERY
    ),
    "worker": Room(3, frozenset({"sqlalchemy", "structlog"})),
    "demo": Room(4, ANY, beside=frozenset({""})),
    # Wires everything.
    "application": Room(4, ANY, beside=frozenset({"demo"})),
    # `liaison/__init__`: a provider's program imports it too, so it needs no library.
    "": Room(4, frozenset({"flask"}), beside=frozenset({"application"})),
    # The command `liaison`, or what to install where it cannot be.
    "__main__": Room(4),
    # What a provider installs: nothing of ours, and httpx alone.
    "client": Room(-1, frozenset({"httpx"})),
}

# Each way to ask what time it is. `clock.now()` is none of them: it is handed in.
CLOCKS = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
    ("time", "localtime"),
    ("time", "gmtime"),
    ("func", "now"),
    ("func", "current_timestamp"),
    ("TOTP", "now"),
}


def breaches_in_house() -> list[str]:
    """Every breach in ``liaison/``, one line each."""
    return [
        line
        for path in sorted(PACKAGE.rglob("*.py"))
        for line in breaches(module_name(path), path.read_text(encoding="utf-8"))
    ]


def module_name(path: Path) -> str:
    """``liaison.domain.terms`` for its file; a package's name for its ``__init__``."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def breaches(module: str, source: str) -> list[str]:
    """What a module's source does that its room does not allow."""
    room = _room(module)
    if room not in ROOMS:
        return [f"{module}: stands in no room; give it one in tests/floors.py"]
    tree = ast.parse(source)
    found = [
        f"{module}: {fault}" for name in _imports(module, tree) if (fault := _fault(room, name))
    ]
    found += [f"{module}:{line}: {fault}" for line, fault in _calls(room, tree)]
    return found


def _fault(room: str, imported: str) -> str | None:
    mine = ROOMS[room]
    top = imported.partition(".")[0]
    if top != "liaison":
        if top in mine.shut:
            return f"imports {top}, which has no place in {room}"
        if top in sys.stdlib_module_names or mine.libraries & {"*", top}:
            return None
        return f"imports {top}, which has no place in {room or 'liaison/__init__'}"
    other = _room(imported)
    if other == room or other in mine.beside:
        return None
    if other not in ROOMS:
        return f"imports {imported}, which stands in no room"
    if other in mine.never or ROOMS[other].floor >= mine.floor:
        return (
            f"imports {imported}: floor {mine.floor} may not import {other or 'liaison/__init__'}"
        )
    return None


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def _imports(module: str, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[: -node.level]
                base = ".".join([*above, *([base] if base else [])])
            if base == "liaison":
                yield from (_of_package(alias.name) for alias in node.names)
            else:
                yield base


def _of_package(name: str) -> str:
    """``from liaison import X``: a module of that name, or something of ``liaison/__init__``."""
    is_module = (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()
    return f"liaison.{name}" if is_module else "liaison"


def _calls(room: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    names = _own_names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        owner, called = _called(node.func, names)
        if room != "clock" and (owner, called) in CLOCKS:
            yield node.lineno, f"reads the clock ({owner}.{called}); take `now` instead"
        if room in ("services", "queries", "models") and called in ("commit", "rollback"):
            yield node.lineno, f"{called}s; a verb flushes, its caller commits"
        if called in ("import_module", "__import__"):
            yield node.lineno, "imports by name, which this test cannot read"


def _own_names(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Names under which this module knows others' things: ``from time import time as t``."""
    return {
        alias.asname or alias.name: (node.module.rpartition(".")[2], alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    } | {
        alias.asname: ("", alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname
    }


def _called(func: ast.expr, names: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """Who is asked for what: (``datetime``, ``now``)."""
    if isinstance(func, ast.Name):
        return names.get(func.id, ("", func.id))
    if not isinstance(func, ast.Attribute):
        return "", ""
    owner = func.value
    if isinstance(owner, ast.Call):
        owner = owner.func
    if isinstance(owner, ast.Attribute):
        return owner.attr, func.attr
    if isinstance(owner, ast.Name):
        return names.get(owner.id, ("", owner.id))[1], func.attr
    return "", func.attr
