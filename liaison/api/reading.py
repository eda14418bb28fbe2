"""Reading a request: path, query and body into their models, every fault with its place.

The framework collects the OpenAPI document from a view's annotations; the reading itself is
stricter than the framework's, so it stands here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from itertools import islice
from typing import Any, Self, TypeVar, get_type_hints
from uuid import UUID

from flask import Response, request
from pydantic import BaseModel, PrivateAttr, ValidationError

from liaison.api.problems import Malformed, NotJson
from liaison.domain.reading import unstorable
from liaison.errors import FieldError, Invalid, NotFound

M = TypeVar("M", bound=BaseModel)
View = Callable[..., Response]

_WORDS = {
    "missing": "This field is needed.",
    "extra_forbidden": "There is no such field; see the reference at /api/docs.",
    "int_type": "Give a whole number.",
    "int_parsing": "Give a whole number.",
    "int_from_float": "Give a whole number.",
    "string_type": "Give a text.",
    "bool_type": "Give true or false.",
    "list_type": "Give a list.",
    "model_type": "Give an object with named fields.",
    "model_attributes_type": "Give an object with named fields.",
    "dict_type": "Give an object with named fields.",
    "greater_than_equal": "Give at least {ge}.",
    "less_than_equal": "Give at most {le}.",
    "too_short": "Give at least {min_length}.",
    "too_long": "Give at most {max_length}.",
    "string_too_short": "Write something here.",
    "string_too_long": "Write at most {max_length} characters.",
    "string_pattern_mismatch": "Give 64 hexadecimal digits.",
    "enum": "Choose one of: {expected}.",
}


CSV = "text/csv"

MOST_BROKEN, LONGEST_NAME = 50, 200
"""Broken texts that are told, and characters of a name that is part of a pointer to one."""

Place = tuple[Any, object] | None
"""A value's place: the place of what holds it, and its name or number there; None: the body."""


class AsSent(BaseModel):
    """A body that its verb reads by rules of its own (ADR 0005); the fields are for the reference.

    Here it is only JSON that can be kept: the one reader of drafts then names every fault.
    """

    _sent: Any = PrivateAttr(None)

    @property
    def sent(self) -> Any:
        """The plain data, as they came."""
        return self._sent

    @classmethod
    def of(cls, data: Any) -> Self:
        """A body with these data; nothing is looked at."""
        made = cls.model_construct()
        made._sent = data
        return made


def reads(view: View) -> View:
    """Hands a view its annotated ``path``, ``query`` and ``body``, or refuses with the faults."""
    return _reading(view, csv=False)


def reads_or_csv(view: View) -> View:
    """The same for a view that takes a CSV file too: it reads that itself, ``body`` is empty."""
    return _reading(view, csv=True)


def _reading(view: View, *, csv: bool) -> View:
    hints = get_type_hints(view)

    @wraps(view)
    def wrapper(**given: Any) -> Response:
        arguments: dict[str, BaseModel] = {}
        if "path" in hints:
            arguments["path"] = _path(hints["path"], given)
        query = _query(hints.get("query"))
        if query is not None:
            arguments["query"] = query
        if "body" in hints:
            is_csv = csv and request.mimetype == CSV
            arguments["body"] = _checked(hints["body"], {}) if is_csv else _body(hints["body"])
        return view(**arguments)

    # The framework's mark for "this view reads its own request" (its validate_request sets it).
    wrapper.__delay_validate_request__ = True  # type: ignore[attr-defined]
    return wrapper


def identifier(given: str) -> UUID:
    """A UUID in an address; what is none names nothing."""
    try:
        return UUID(given)
    except ValueError:
        raise NotFound from None


def _path(model: type[M], given: Mapping[str, str]) -> M:
    if any(unstorable(value) for value in given.values()):
        raise NotFound
    return model(**given)


def _query(model: type[BaseModel] | None) -> BaseModel | None:
    known = model.model_fields if model is not None else {}
    faults = []
    for name, values in request.args.lists():
        if name not in known:
            detail = (
                f"There is no query parameter of this name. Known: {', '.join(known) or 'none'}."
            )
            faults.append(FieldError(pointer([name]), detail))
        elif len(values) > 1:
            faults.append(FieldError(pointer([name]), "Give this query parameter once."))
    if faults:
        raise Invalid(faults, "The query is not valid.")
    return _checked(model, request.args.to_dict()) if model is not None else None


def _body(model: type[M]) -> M:
    raw = request.get_data()
    if not raw:
        return model.of({}) if issubclass(model, AsSent) else _checked(model, {})
    if request.mimetype != "application/json":
        also = " A table of targets is text/csv." if request.path.endswith("/preservation") else ""
        raise NotJson(f"Send JSON with Content-Type: application/json.{also}")
    data = _json(raw)
    broken = list(islice(_unstorable(data), MOST_BROKEN))
    if broken:
        detail = "Remove the NUL character or broken character: it cannot be kept."
        raise Invalid([FieldError(_written(place), detail) for place in broken])
    return model.of(data) if issubclass(model, AsSent) else _checked(model, data)


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"The body is no JSON in UTF-8: {_where(error)}.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def _where(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start}"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _unstorable(value: Any, place: Place = None) -> Iterator[Place]:
    """Where a text stands that cannot be kept. The pointer is written of what is told only.

    Names may be megabytes long, and a pointer for each of a hundred thousand values below one of
    them is more than any machine holds.
    """
    if isinstance(value, str) and unstorable(value):
        yield place
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unstorable(item, (place, index))
    elif isinstance(value, dict):
        for name, item in value.items():
            if unstorable(name):
                yield place
            else:
                yield from _unstorable(item, (place, name))


def _written(place: Place) -> str:
    """Its pointer; that of the whole body where a name on the way is longer than any of ours."""
    parts: list[object] = []
    while place is not None:
        place, part = place
        parts.insert(0, part)
    return "" if any(len(str(part)) > LONGEST_NAME for part in parts) else pointer(parts)


def _checked(model: type[M], data: Any) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Invalid([_fault(e) for e in error.errors(include_url=False)]) from None


def _fault(error: Any) -> FieldError:
    words = _WORDS.get(error["type"], "{msg}")
    known = {"msg": f"{error['msg']}.".replace("..", "."), **error.get("ctx", {})}
    return FieldError(pointer(error["loc"]), words.format(**known))


def pointer(parts: Any) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)
