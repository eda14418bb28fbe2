"""Canonical JSON (RFC 8785) of what the stream's entries hold, for their hashes.

They hold text, whole numbers, true, false, null, lists and objects. A fraction is refused: how one
is written depends on who writes it, and none of ours has one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

LARGEST = 2**53 - 1
"""The largest whole number that every reader of JSON keeps exactly."""


class NotCanonical(ValueError):
    """The value has no canonical form here; the text says what stands in the way."""


def canonical(value: object) -> bytes:
    """The bytes that are hashed. Raises ``NotCanonical``."""
    try:
        return "".join(_parts(value)).encode()
    except UnicodeEncodeError:
        raise NotCanonical("a text holds half a character (a lone surrogate)") from None
    except RecursionError:
        raise NotCanonical("lists and objects stand too deep in each other") from None


def _parts(value: object) -> Iterator[str]:
    if value is None or isinstance(value, bool):
        yield {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, str):
        yield json.dumps(value, ensure_ascii=False)  # escapes just what RFC 8785 asks for
    elif isinstance(value, int):
        if abs(value) > LARGEST:
            raise NotCanonical("a whole number is too large")
        yield str(value)
    elif isinstance(value, Mapping):
        yield from _object(value)
    elif isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        for number, item in enumerate(value):
            yield "," if number else "["
            yield from _parts(item)
        yield "]" if value else "[]"
    else:
        raise NotCanonical(f"a value of the type {type(value).__name__} has no place in an entry")


def _object(value: Mapping[object, object]) -> Iterator[str]:
    yield "{"
    for number, name in enumerate(sorted(value, key=_place)):
        yield f"{',' if number else ''}{json.dumps(name, ensure_ascii=False)}:"
        yield from _parts(value[name])
    yield "}"


def _place(name: object) -> bytes:
    """Names stand in the order of their UTF-16 units, as JavaScript sorts."""
    if not isinstance(name, str):
        raise NotCanonical("a name in an object is no text")
    return name.encode("utf-16-be")
