"""Importing providers from a CSV file: looked at first, confirmed, then written as a whole.

``check`` imports nothing. Once a person has confirmed it, the worker compares the rows with the
register as it is then, portion by portion, and writes all of them in one transaction, or none.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_REASON, check_texts, unstorable
from liaison.domain.register_entry import plain
from liaison.errors import Invalid, InvalidTransition, NotFound
from liaison.models import RegisterImport
from liaison.models.base import new_id
from liaison.services import guards, import_check, portal_log, providers
from liaison.services.import_check import CHANGED, NEW, UNCHANGED, Fault, Reading
from liaison.services.organisations import AlreadyDone

CHECKED, CONFIRMED, DONE, FAILED, DISCARDED = (
    "checked",
    "confirmed",
    "done",
    "failed",
    "discarded",
)
KEPT = timedelta(days=7)
"""How long a file that was checked can be confirmed."""

PORTION = 250
"""Rows that are compared in one transaction."""

MOST_CHANGES, MOST_FAULTS = 200, 10_000
"""Rows of which the report tells what would change; faults that it tells in full."""


class HasFaults(InvalidTransition):
    """A file with faults is not imported, not even the rows that have none."""

    title = "The file has faults"


def check(
    session: Session, actor: Actor, file_name: str, content: bytes, now: datetime
) -> RegisterImport:
    """The dry run: what would change, and every fault by row and column. Nothing is imported.

    ``Invalid`` where it is no such file. The rows are read before the database is asked for
    anything: that takes the time.
    """
    return keep(session, actor, look(session, actor, file_name, content, now), now)


def check_at_server(
    session: Session, actor: Actor, file_name: str, content: bytes, now: datetime
) -> RegisterImport:
    """The same at the server's command line, where nobody has a second factor to give."""
    demand(actor, Verb.MANAGE_REGISTER)
    return keep(session, actor, _look(session, actor, file_name, content, now), now)


def look(
    session: Session, actor: Actor, file_name: str, content: bytes, now: datetime
) -> RegisterImport:
    """The first half of ``check``: reads and compares. It takes the time and writes nothing."""
    demand(actor, Verb.MANAGE_REGISTER)
    guards.fresh_factor(actor, now)
    return _look(session, actor, file_name, content, now)


def keep(session: Session, actor: Actor, made: RegisterImport, now: datetime) -> RegisterImport:
    """The second half: keeps what was found, to be confirmed."""
    demand(actor, Verb.MANAGE_REGISTER)
    session.add(made)
    session.flush()
    _note(session, now, "register_import_checked", actor, made)
    return made


def _look(
    session: Session, actor: Actor, file_name: str, content: bytes, now: datetime
) -> RegisterImport:
    rows = import_check.read(content)
    import_check.compare(session, rows)
    faults = [fault for row in rows for fault in row.faults]
    to_write = [row for row in rows if row.what != UNCHANGED]
    return RegisterImport(
        id=new_id(),
        authority_id=actor.authority_id,
        file_name=_shown(file_name),
        sha256=hashlib.sha256(content).hexdigest(),
        rows=[] if faults else packed([_kept(row) for row in to_write]),
        report=_report(rows, faults),
        state=CHECKED,
        total=len(to_write),
        done=0,
        made_by_id=actor.person_id,
        made_by=actor.name,
        made_at=now,
    )


def confirm(
    session: Session, actor: Actor, import_id: UUID, now: datetime, reason: str = ""
) -> RegisterImport:
    """Has the file imported: the worker does it.

    Where a row changes a status one reason is needed for all; it stands in the portal log.
    """
    demand(actor, Verb.MANAGE_REGISTER)
    row = _held(session, actor, import_id)
    guards.fresh_factor(actor, now)
    return _confirm(session, actor, row, now, reason)


def confirm_at_server(
    session: Session, actor: Actor, import_id: UUID, now: datetime, reason: str = ""
) -> RegisterImport:
    """The same at the server's command line, where nobody has a second factor to give."""
    demand(actor, Verb.MANAGE_REGISTER)
    return _confirm(session, actor, _held(session, actor, import_id), now, reason)


def discard(session: Session, actor: Actor, import_id: UUID, now: datetime) -> RegisterImport:
    """Lays a file that was looked at aside."""
    demand(actor, Verb.MANAGE_REGISTER)
    row = _held(session, actor, import_id)
    _demand_open(row)
    row.state, row.finished_at, row.rows = DISCARDED, now, []
    session.flush()
    _note(session, now, "register_import_discarded", actor, row)
    return row


def lay_old_aside(session: Session, now: datetime) -> int:
    """What nobody confirmed within ``KEPT`` is laid aside, and its rows go; how many files."""
    old = (RegisterImport.state == CHECKED) & (RegisterImport.made_at < now - KEPT)
    step = update(RegisterImport).where(old).values(state=DISCARDED, finished_at=now, rows=[])
    result = session.execute(step.execution_options(synchronize_session=False))
    return result.rowcount if isinstance(result, CursorResult) else 0


def _confirm(
    session: Session, actor: Actor, row: RegisterImport, now: datetime, reason: str
) -> RegisterImport:
    _demand_open(row)
    if row.report["counts"]["faulty"]:
        raise HasFaults("Nothing is imported from a file with faults. Correct it and send it anew.")
    if not row.total:
        raise AlreadyDone("The register says all of this already: there is nothing to import.")
    check_texts(("/reason", reason, LONGEST_REASON))
    if row.report.get("statuses"):
        if not reason.strip():
            raise Invalid([providers.reason_fault()])
        row.report = {**row.report, "reason": reason.strip()}
    row.state, row.confirmed_at = CONFIRMED, now
    session.flush()
    _note(session, now, "register_import_confirmed", actor, row)
    return row


def _demand_open(row: RegisterImport) -> None:
    if row.state == FAILED:
        raise AlreadyDone(
            "This import failed. Send the file anew: it is compared with the register again."
        )
    if row.state != CHECKED:
        at = row.confirmed_at or row.finished_at
        when = f" at {rfc3339(at)}" if at else ""
        was = "laid aside" if row.state == DISCARDED else "confirmed"
        raise AlreadyDone(f"This file was {was} already{when}. Nothing was done.")


def _held(session: Session, actor: Actor, import_id: UUID) -> RegisterImport:
    """An import of one's own authority, locked; another's is as good as absent."""
    query = select(RegisterImport).where(
        RegisterImport.id == import_id, RegisterImport.authority_id == actor.authority_id
    )
    found = session.scalars(
        query.with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def packed(rows: list[dict[str, Any]]) -> list[Any]:
    """The rows as they are stored: the ids that they are about, then portion by portion.

    Each portion is one text, so that the worker reads the one it needs and not all of them.
    """
    ids = [row["id"] for row in rows if row["id"]]
    texts = [json.dumps(rows[at : at + PORTION]) for at in range(0, len(rows), PORTION)]
    return [ids, *(b64encode(zlib.compress(text.encode())).decode() for text in texts)]


def unpacked(text: str) -> list[dict[str, Any]]:
    """The rows of one portion."""
    found: list[dict[str, Any]] = json.loads(zlib.decompress(b64decode(text)))
    return found


def _kept(row: Reading) -> dict[str, Any]:
    """A row as the worker writes it, with the wording of the entry it was compared with."""
    assert row.entry is not None
    return {
        "row": row.number,
        "id": str(row.provider_id) if row.provider_id else None,
        "version": row.version,
        "changed": sorted(row.changes),
        "entry": plain(row.entry),
        "keys": [[held.kind.value, held.key, held.length] for held in row.keys],
    }


def _report(rows: list[Reading], faults: list[Fault]) -> dict[str, Any]:
    good = [row for row in rows if not row.faults]
    changes = [
        {"row": row.number, "name": row.name, "what": row.what, "changes": row.changes}
        for row in good
        if row.what != UNCHANGED
    ]
    return {
        "counts": {
            "rows": len(rows),
            **{what: _count(good, what) for what in (NEW, CHANGED, UNCHANGED)},
            "faulty": len(rows) - len(good),
            "faults": len(faults) + sum(row.more for row in rows),
        },
        "statuses": sum(row.what == CHANGED and "status" in row.changes for row in good),
        "changes": changes[:MOST_CHANGES],
        "faults": [list(fault) for fault in faults[:MOST_FAULTS]],
    }


def _count(rows: Iterable[Reading], what: str) -> int:
    return sum(row.what == what for row in rows)


def _shown(file_name: str) -> str:
    """The file's name without the way to it, as far as it can be stored and shown."""
    bare = file_name.replace("\\", "/").rpartition("/")[2].strip()
    seen = "".join(c for c in bare if c.isprintable() and not unstorable(c))
    return seen[:200] or "providers.csv"


def _note(session: Session, now: datetime, type_: str, actor: Actor, row: RegisterImport) -> None:
    told = told_of(row)
    data = {**told, **portal_log.by(actor)}
    whose = portal_log.organisation_of_actor(actor)
    portal_log.note(session, now, type_, actor.id, whose, data)


def told_of(row: RegisterImport) -> dict[str, Any]:
    """What the log says of an import: which file, and how much it held."""
    counts = dict(row.report["counts"])
    told = {"import": str(row.id), "name": row.file_name, "sha256": row.sha256, "counts": counts}
    return {**told, "reason": row.report["reason"]} if "reason" in row.report else told
