"""Writing what was confirmed: compared with the register portion by portion, then in one go.

Each portion is a transaction and counts on: a worker that is killed loses none of it. Nothing is
written before the last one, and then all of it or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from liaison.domain.actors import CLOCK, Actor
from liaison.domain.holdings import Held
from liaison.domain.register_entry import name_key
from liaison.domain.vocabulary import HoldingKind, MemorandumState, Status
from liaison.models import Authority, Holding, Memorandum, Person, Provider, RegisterImport
from liaison.models.base import new_id
from liaison.services import entry_letters, portal_log, providers
from liaison.services.holdings import (
    as_domain,
    called_fault,
    hold,
    name_fault,
    owners,
    taken_fault,
)
from liaison.services.import_check import Fault
from liaison.services.register_imports import (
    CONFIRMED,
    DONE,
    FAILED,
    PORTION,
    told_of,
    unpacked,
)

log = structlog.get_logger("liaison.import")

_AT_ONCE = 500
"""Values named in one statement."""

BROKEN = "The file could not be worked through. Send it anew, or tell whoever runs this."

MEANWHILE = "The entry of {} changed since the file was checked. Send the file anew."


def is_due(session: Session, now: datetime) -> bool:  # noqa: ARG001 - asked as every job is
    """Whether a confirmed file waits."""
    query = select(RegisterImport.id).where(RegisterImport.state == CONFIRMED)
    return session.scalars(query.limit(1)).first() is not None


def run(session: Session, now: datetime, base_url: str) -> int:
    """One portion of the file that waits longest; how many rows it was. Another worker's is left.

    Once all were compared: writes them, all or none.
    """
    row = session.scalars(
        select(RegisterImport)
        .where(RegisterImport.state == CONFIRMED)
        .order_by(RegisterImport.confirmed_at, RegisterImport.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return 0 if row is None else _try(session, row, now, base_url)


def step(session: Session, import_id: UUID, now: datetime, base_url: str) -> RegisterImport:
    """One portion of this file; none where it is over, or the worker was quicker."""
    row = session.get_one(RegisterImport, import_id, with_for_update=True, populate_existing=True)
    if row.state == CONFIRMED:
        _try(session, row, now, base_url)
    return row


def _try(session: Session, row: RegisterImport, now: datetime, base_url: str) -> int:
    """A file that cannot be worked through fails; it does not stand before all others for ever.

    What the database refuses for a while is raised, and tried again.
    """
    try:
        with session.begin_nested():
            return _go_on(session, row, now, base_url)
    except DBAPIError:
        raise
    except Exception as error:
        log.exception("import broken off", id=str(row.id), error=type(error).__name__)
    _fail(session, row, [Fault(0, "", BROKEN)], now)
    return 1


def _go_on(session: Session, row: RegisterImport, now: datetime, base_url: str) -> int:
    ids, *portions = row.rows
    about = {UUID(id_) for id_ in ids}
    some = unpacked(portions[row.done // PORTION])
    faults = _misfits(session, some, about)
    if faults:
        _fail(session, row, faults, now)
    elif row.done + len(some) < row.total:
        row.done += len(some)
        session.flush()
    else:
        rows = [one for portion in portions for one in unpacked(portion)]
        _finish(session, row, rows, about, now, base_url)
    return len(some)


def _finish(
    session: Session,
    row: RegisterImport,
    rows: Sequence[dict[str, Any]],
    about: set[UUID],
    now: datetime,
    base_url: str,
) -> None:
    """Locks what is changed, compares all of it once more, and writes."""
    _lock(session, about)
    faults = _misfits(session, rows, about)
    if not faults:
        try:
            with session.begin_nested():
                _write(session, rows, now)
        except IntegrityError:
            detail = "Somebody registered one of these names or ranges at this very moment."
            faults = [Fault(0, "", f"{detail} Send the file anew.")]
    if faults:
        _fail(session, row, faults, now)
        return
    _tell(session, row, rows, now, base_url)
    row.state, row.finished_at, row.done = DONE, now, row.total
    row.rows = []
    session.flush()
    _note(session, row, "register_import_done", now)


def _fail(session: Session, row: RegisterImport, faults: list[Fault], now: datetime) -> None:
    row.report = {**row.report, "failed": [list(fault) for fault in faults]}
    row.state, row.finished_at, row.rows = FAILED, now, []
    session.flush()
    _note(session, row, "register_import_failed", now)


def _misfits(session: Session, some: Sequence[dict[str, Any]], about: set[UUID]) -> list[Fault]:
    """What no longer fits the register; ``about`` are the providers of the whole file: what is
    theirs now one of its rows may take."""
    return [
        *_changed_meanwhile(session, some),
        *_names_taken(session, some, about),
        *_names_are_domains(session, some, about),
        *_keys_taken(session, some, about),
    ]


def _changed_meanwhile(session: Session, some: Sequence[dict[str, Any]]) -> list[Fault]:
    compared = {UUID(row["id"]): row for row in some if row["id"]}
    versions: dict[UUID, str] = {}
    for ids in _parts(list(compared)):
        for found in session.scalars(
            select(Provider).where(Provider.id.in_(ids)).execution_options(populate_existing=True)
        ):
            versions[found.id] = providers.version(found)
    return [
        Fault(row["row"], "", MEANWHILE.format(row["entry"]["name"]))
        for id_, row in compared.items()
        if versions.get(id_) != row["version"]
    ]


def _names_taken(session: Session, some: Sequence[dict[str, Any]], about: set[UUID]) -> list[Fault]:
    by_name = {name_key(row["entry"]["name"]): row["row"] for row in some}
    by_domain = {domain: row["row"] for row in some for domain in row["entry"]["domains"]}
    found = []
    for names in _parts([*by_name, *(by_domain.keys() - by_name.keys())]):
        same = select(Provider.id, Provider.name, Provider.name_key)
        for id_, name, key in session.execute(same.where(Provider.name_key.in_(names))):
            if id_ in about:
                continue
            if key in by_name:
                found.append(Fault(by_name[key], "name", f"{name} was registered meanwhile."))
            if key in by_domain:
                found.append(Fault(by_domain[key], "domains", called_fault(name).detail))
    return found


def _names_are_domains(
    session: Session, some: Sequence[dict[str, Any]], about: set[UUID]
) -> list[Fault]:
    read = {as_domain(row["entry"]["name"]): row["row"] for row in some}
    wanted = {held: number for held, number in read.items() if held is not None}
    return [
        Fault(wanted[held], "name", name_fault(held, owner.name).detail)
        for held, owner in owners(session, list(wanted)).items()
        if owner.id not in about
    ]


def _keys_taken(session: Session, some: Sequence[dict[str, Any]], about: set[UUID]) -> list[Fault]:
    wanted = {held: row["row"] for row in some for held in _keys(row)}
    found = []
    for held, owner in owners(session, list(wanted)).items():
        if owner.id not in about:
            told = taken_fault(held, owner.name)
            found.append(Fault(wanted[held], told.pointer[1:], told.detail))
    return found


def _lock(session: Session, about: set[UUID]) -> None:
    """In order of the ids, so that two who lock several do not wait for each other.

    Orders refer to them meanwhile, and need not wait for a file.
    """
    for ids in _parts(sorted(about)):
        query = select(Provider.id).where(Provider.id.in_(ids)).order_by(Provider.id)
        session.execute(query.with_for_update(key_share=True))


def _write(session: Session, rows: Sequence[dict[str, Any]], now: datetime) -> None:
    since = _domains_since(session, rows, now)
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    keys: list[dict[str, Any]] = []
    for row in rows:
        id_ = UUID(row["id"]) if row["id"] else new_id()
        values = {**row["entry"], "status": Status(row["entry"]["status"])}
        values |= {"id": id_, "changed_at": _later(row["version"], now)}
        values |= {"name_key": name_key(values["name"]), "domains_since": since.get(id_, {})}
        (changed if row["id"] else new).append(values)
        keys += [{**held._asdict(), "provider_id": id_} for held in _keys(row)]
    for ids in _parts([row["id"] for row in changed]):
        hold(session, ids, ())
        session.execute(
            delete(Holding)
            .where(Holding.provider_id.in_(ids))
            .execution_options(synchronize_session=False)
        )
    # Two that change names with each other would meet half-way: each steps aside first.
    renamed = [UUID(row["id"]) for row in rows if row["id"] and "name" in row["changed"]]
    aside = [{"id": id_, "name": str(id_), "name_key": str(id_)} for id_ in renamed]
    # In order of the keys, as every writer of holdings goes.
    keys.sort(key=lambda key: (key["kind"], key["key"]))
    for statement, values_of in (
        (update(Provider), aside),
        (update(Provider), changed),
    ):
        if values_of:
            session.execute(statement, values_of)
    for table, values_of in ((insert(Provider), new), (insert(Holding), keys)):
        if values_of:  # past the session, which would make an object of each
            session.connection().execute(table, values_of)


def _domains_since(
    session: Session, rows: Sequence[dict[str, Any]], now: datetime
) -> dict[UUID, dict[str, str]]:
    """Of each provider that is changed: since when it has the domains it did not begin with."""
    after = {UUID(row["id"]): row["entry"]["domains"] for row in rows if row["id"]}
    found = {}
    for ids in _parts(list(after)):
        query = select(Provider.id, Provider.domains, Provider.domains_since)
        for id_, before, known in session.execute(query.where(Provider.id.in_(ids))):
            found[id_] = providers.domains_since(known, before, after[id_], now)
    return found


def _later(version: str, now: datetime) -> datetime:
    """Two wordings never bear the same moment: by it a stale form is known."""
    before = datetime.fromisoformat(version) if version else None
    return now if before is None or now > before else before + timedelta(microseconds=1)


def _keys(row: dict[str, Any]) -> list[Held]:
    return [Held(HoldingKind(kind), key, length) for kind, key, length in row["keys"]]


def _tell(
    session: Session,
    row: RegisterImport,
    rows: Sequence[dict[str, Any]],
    now: datetime,
    base_url: str,
) -> None:
    """A letter to each provider whose entry changed and who has somebody to read it."""
    authority = session.get_one(Authority, row.authority_id)
    by = Actor("", row.made_by, frozenset(), authority.id, organisation=authority.name)
    changed = {UUID(r["id"]): r["changed"] for r in rows if r["id"]}
    for ids in _parts(sorted(changed)):
        people = select(Person.provider_id).where(Person.provider_id.in_(ids))
        agreed = select(Memorandum.provider_id).where(
            Memorandum.provider_id.in_(ids), Memorandum.state == MemorandumState.AGREED
        )
        told = or_(Provider.id.in_(people), Provider.id.in_(agreed))
        found = select(Provider).where(told).order_by(Provider.id)
        for provider in session.scalars(found.execution_options(populate_existing=True)).all():
            what = changed[provider.id]
            entry_letters.tell_provider(session, provider, what, by, now, base_url)


def _note(session: Session, row: RegisterImport, type_: str, now: datetime) -> None:
    data = told_of(row)
    if row.state == FAILED:
        data["faults"] = len(row.report["failed"])
    whose = f"authority:{row.authority_id}"
    portal_log.note(session, now, type_, CLOCK.id, whose, {**data, **portal_log.by(CLOCK)})


def _parts(values: list[Any]) -> list[list[Any]]:
    return [values[at : at + _AT_ONCE] for at in range(0, len(values), _AT_ONCE)]
