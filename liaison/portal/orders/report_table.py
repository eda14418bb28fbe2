"""The table of a report, filled by lines: a file, what was pasted, or a list of targets.

All of it or nothing: with one fault in a line the table stays as it was, and so does what was
pasted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from werkzeug.datastructures import FileStorage

from liaison.domain import answer_csv
from liaison.domain.vocabulary import Outcome
from liaison.errors import FieldError, Invalid
from liaison.models import Order
from liaison.portal.orders import moments
from liaison.portal.orders.answer_forms import PART, PreserveForm

READ, MARK, MARK_ALL = "read", "mark", "mark-all"
"""Buttons that fill the table; none of them sends anything."""


@dataclass(frozen=True)
class Applied:
    """How many targets the lines named, and how many stay as the table had them."""

    named: int
    left: int


def apply(
    form: PreserveForm, order: Order, files: Mapping[str, FileStorage], act: str
) -> Applied | None:
    """Fills the table from what was sent beside it; None where nothing was.

    ``act`` is the button. What stands in a field counts whichever was pressed: nobody loses
    pasted lines by pressing another one.
    """
    targets = [answer_csv.Target(t.id, t.value) for t in order.targets]
    lines = _lines(form, files.get("file"), targets, needed=act == READ)
    marked = _marked(form, targets, act)
    if not lines and not marked:
        return None
    entries = {entry.form.id.data: entry.form for entry in form.targets}
    if missing := [t for t in targets if str(t.id) not in entries]:
        detail = f"{len(missing)} targets are missing in the form. Open the page again."
        raise Invalid([FieldError("/targets", detail)])
    for line in lines:
        row = entries[str(line.target_id)]
        row.outcome.data = line.outcome.value
        row.until.data = moments.as_typed(line.until, 0) if line.until else ""
        row.note.data = " ".join((line.note or "").split())  # one line, as the field holds it
    for id_ in marked:
        row = entries[str(id_)]
        row.outcome.data = form.listed_as.data
        if form.listed_as.data == Outcome.NOTHING_HELD.value:
            row.until.data = ""
    form.pasted.data = form.listed.data = ""
    form.found.data = PART
    named = {line.target_id for line in lines} | set(marked)
    return Applied(len(named), len(targets) - len(named))


def _lines(
    form: PreserveForm,
    file: FileStorage | None,
    targets: list[answer_csv.Target],
    *,
    needed: bool,
) -> list[answer_csv.Line]:
    pasted = form.pasted.data or ""
    sent = file is not None and bool(file.filename)
    if sent and pasted.strip():
        detail = "Send either the file or the pasted lines, so that it is clear which count."
        raise Invalid([FieldError("/pasted", detail)])
    if file is not None and sent:
        content = file.read(answer_csv.LARGEST + 1)
        return answer_csv.read(answer_csv.decode(content, "/file"), targets, "/file")
    if pasted.strip():
        return answer_csv.read(pasted, targets, "/pasted")
    if needed:
        raise Invalid([FieldError("/file", "Choose the file, or paste its lines below.")])
    return []


def _marked(form: PreserveForm, targets: list[answer_csv.Target], act: str) -> list[UUID]:
    listed = form.listed.data or ""
    if act != MARK_ALL and not listed.strip() and act != MARK:
        return []
    if form.listed_as.data not in set(Outcome):
        raise Invalid([FieldError("/listed_as", "Say as what they are marked.")])
    if act == MARK_ALL:
        return [target.id for target in targets]
    return answer_csv.named(listed, targets, "/listed")
