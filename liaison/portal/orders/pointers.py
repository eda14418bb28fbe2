"""From a fault's JSON pointer to the form field that it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wtforms import Field, FieldList, Form, FormField

from liaison.errors import FieldError

_RENAMED = {"from": "start", "to": "end", "data": "categories"}
"""JSON names that are no field names."""


@dataclass(frozen=True)
class Fault:
    """One line of the error summary; ``field`` is the id to jump to, where there is one."""

    detail: str
    field: str | None


def show(form: Form, errors: Iterable[FieldError]) -> list[Fault]:
    """Puts each fault beside its field and gives back the summary, in the order of the form.

    What is tied to no field comes last.
    """
    faults, places = [], {id(field): place for place, field in enumerate(_leaves(form))}
    for error in errors:
        field = find(form, error.pointer)
        if field is not None:
            # The form's own check has put its faults there already.
            known = [said for said in field.errors if said != error.detail]
            field.errors = [*known, error.detail]
        if field is None:
            faults.append((len(places), Fault(error.detail, None)))
        else:
            said = Fault(f"{field.label.text}: {error.detail}", anchor(field))
            faults.append((places.get(id(field), len(places)), said))
    return [fault for _, fault in sorted(faults, key=lambda placed: placed[0])]


def own_faults(form: Form) -> list[FieldError]:
    """What the form's own fields find wrong, wherever they stand: texts that are too long."""
    return [] if form.validate() else list(_faults("", form.errors))


def _faults(pointer: str, errors: Any) -> Iterator[FieldError]:
    if isinstance(errors, str):
        yield FieldError(pointer, errors)
    elif isinstance(errors, Mapping):
        for name, inner in errors.items():
            yield from _faults(f"{pointer}/{name}" if name else pointer, inner)
    else:
        for index, inner in enumerate(errors):
            # A list of texts is a field's own; any other is one of rows.
            place = pointer if isinstance(inner, str) else f"{pointer}/{index}"
            yield from _faults(place, inner)


def find(form: Form, pointer: str) -> Field | None:
    """The field at a pointer, or the nearest one above it that people can see."""
    at: Any = form
    found: Field | None = None
    for part in pointer.split("/")[1:]:
        inner = _step(at, part)
        if inner is None and part in _RENAMED:
            inner = _step(at, _RENAMED[part])
        if inner is None:
            break
        at = found = inner
    return _leaf(found) if found is not None else None


def anchor_of(form: Form, pointer: str) -> str:
    """The id to jump to for a pointer; empty where no field fits."""
    field = find(form, pointer)
    return anchor(field) if field is not None else ""


def anchor(field: Field) -> str:
    """The id of what can be jumped to: the first box of a group of choices, else the field."""
    return f"{field.id}-0" if _is_group(field) else str(field.id)


def _is_group(field: Field) -> bool:
    return field.type in ("RadioField", "SelectMultipleField")


def _step(at: Any, name: str) -> Field | None:
    if isinstance(at, FormField):
        at = at.form
    if isinstance(at, FieldList):
        place = int(name) if name.isdigit() else -1
        return at.entries[place] if 0 <= place < len(at.entries) else None
    if isinstance(at, Form):
        return at._fields.get(name)
    return None


def _leaf(field: Field) -> Field | None:
    """Of a group the first field in it: ``/mla`` is shown at its first question."""
    while isinstance(field, (FormField, FieldList)):
        inner = list(field.form if isinstance(field, FormField) else field.entries)
        if not inner:
            return None
        field = inner[0]
    return field


def _leaves(fields: Iterable[Field]) -> Iterator[Field]:
    """The fields of a form, those of its groups and rows in their place."""
    for field in fields:
        if isinstance(field, FieldList):
            yield from _leaves(field.entries)
        elif isinstance(field, FormField):
            yield from _leaves(field.form)
        else:
            yield field


def unfolded(form: Form, group: Iterable[str], usual: Mapping[str, Any]) -> bool:
    """Whether a folded part must stand open: it holds a fault, or something that was changed.

    ``group`` names fields, those inside another with a dot: ``mla``, ``prosecution.name``.
    """
    for name in group:
        outer, _, inner = name.partition(".")
        field, known = form._fields[outer], usual.get(outer)
        if isinstance(field, FormField) and inner:
            field, known = field.form._fields[inner], (known or {}).get(inner)
        if _speaks(field, known):
            return True
    return False


def _speaks(field: Field, usual: Any) -> bool:
    if isinstance(field, FormField):
        known = usual or {}
        return any(_speaks(inner, known.get(inner.short_name)) for inner in field.form)
    if isinstance(field, FieldList):
        rows = list(usual or [{}])
        return len(field.entries) != len(rows) or any(
            _speaks(entry, row) for entry, row in zip(field.entries, rows, strict=True)
        )
    return bool(field.errors) or (field.data or "") != (usual or "")
