"""What a file of providers would do to the register: row by row, and every fault. It writes none.

The register is looked at as it would be once all rows are in: what one row gives up another may
take.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.documents import provider_csv
from liaison.domain.holdings import Held, holdings
from liaison.domain.register_entry import ProviderEntry, differences, name_key, read_provider
from liaison.domain.vocabulary import HoldingKind
from liaison.errors import FieldError, Invalid
from liaison.models import Holding, Provider
from liaison.services import providers
from liaison.services.holdings import FIELDS, as_domain, called_fault, name_fault, taken_fault

NEW, CHANGED, UNCHANGED = "new", "changed", "unchanged"

TWICE = " stands in "

OTHERS_NAMED = 5
"""Other rows that a fault names."""

MOST_IN_ROW, MOST_SHARED = 100, 10_000
"""Faults of one row that are kept, and keys told twice in a file; the rest are counted only."""


class Fault(NamedTuple):
    """What is wrong with a cell; ``column`` is empty where it is the row."""

    row: int
    column: str
    detail: str


@dataclass
class Reading:
    """One row as it was read; ``entry`` is None where it has faults of its own."""

    number: int
    id: str
    given: frozenset[str]
    """Columns that say something: the others stay as they are."""
    name: str
    entry: ProviderEntry | None = None
    keys: list[Held] = field(default_factory=list)
    """What the provider would be found by; of a faulty row what can be read of it."""
    faults: list[Fault] = field(default_factory=list)
    provider_id: UUID | None = None
    """The provider that it is about; None for a new one."""
    version: str = ""
    """The wording of that provider's entry that was compared."""
    what: str = NEW
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    more: int = 0
    """Faults beside those that are kept."""

    def fault(self, column: str, detail: str) -> None:
        """One more fault, told once."""
        if len(self.faults) >= MOST_IN_ROW:
            self.more += 1
            return
        seen = "".join(letter if letter.isprintable() else "·" for letter in detail)
        found = Fault(self.number, column, seen)
        if found not in self.faults:
            self.faults.append(found)


@dataclass(frozen=True)
class _Register:
    """The register as it is."""

    entries: dict[UUID, tuple[ProviderEntry, str]]
    by_name: dict[str, UUID]
    owners: dict[tuple[HoldingKind, str], UUID]


def read(content: bytes) -> list[Reading]:
    """The rows, read one by one, with what is wrong in each; no register is needed for it."""
    return [_read(row) for row in provider_csv.read(content)]


def compare(session: Session, rows: list[Reading]) -> None:
    """Says of each row what it would change, and what it shares with others or takes from them."""
    register = _register(session)
    for row in rows:
        _match(row, register)
    named = [row for row in rows if row.name]
    _told_twice(named, "name", "This name", lambda row: name_key(row.name))
    # Two rows of one name are one provider's, too: that is told already.
    rest = [row for row in rows if row.provider_id and not _is_named(row.faults, TWICE)]
    _told_twice(rest, "id", "This provider", lambda row: row.provider_id)
    _keys_told_twice(rows)
    about = {row.provider_id for row in rows if row.provider_id}
    domains = {held.key: row for row in rows for held in row.keys if _is_domain(held)}
    for row in rows:
        _taken(row, register, about, domains)


def _read(row: provider_csv.Row) -> Reading:
    given = frozenset(c for c in row.cells if c != "status" or row.cells[c].strip())
    found = Reading(row.number, row.cells.get("id", "").strip(), given, _name(row))
    if row.fault:
        found.fault("", row.fault)
        return found
    data: dict[str, object] = {name: row.cells.get(name, "") for name in provider_csv.TEXTS}
    data["status"] = row.cells.get("status", "").strip().lower() or None
    data |= {name: row.texts(name) for name in provider_csv.LISTS}
    try:
        found.entry = read_provider(data)
        found.keys = found.entry.held()
    except Invalid as error:
        for fault in error.errors:
            found.fault(fault.pointer.split("/")[1], fault.detail)
        found.keys = list(_readable(row))
    return found


def _name(row: provider_csv.Row) -> str:
    return row.cells.get("name", "").strip()


def _readable(row: provider_csv.Row) -> Iterator[Held]:
    """The keys in a faulty row: what it shares with others is told at once, too."""
    for name in ("domains", "address_ranges", "phone_prefixes", "as_numbers"):
        for text in row.texts(name):
            try:
                yield from holdings(**{name: [text]})
            except ValueError:
                continue


def _register(session: Session) -> _Register:
    found = session.scalars(select(Provider)).all()
    kept = select(Holding.kind, Holding.key, Holding.provider_id)
    return _Register(
        entries={p.id: (providers.entry_of(p), providers.version(p)) for p in found},
        by_name={p.name_key: p.id for p in found},
        owners={(kind, key): owner for kind, key, owner in session.execute(kept)},
    )


def _match(row: Reading, register: _Register) -> None:
    """Finds the provider a row is about, by its id, else by its name."""
    if row.id:
        try:
            row.provider_id = UUID(row.id)
        except ValueError:
            row.fault("id", "This is no id. Leave the cell empty: the name counts then.")
            return
        if row.provider_id not in register.entries:
            row.provider_id = None
            row.fault(
                "id",
                "No provider has this id. Leave the cell empty for a provider that is new here.",
            )
            return
    else:
        row.provider_id = register.by_name.get(name_key(row.name))
    if row.provider_id is None:
        if row.entry is not None:
            row.changes = differences(None, row.entry)
        return
    before, row.version = register.entries[row.provider_id]
    if row.entry is None:
        return
    kept: dict[str, Any] = {
        name: getattr(before, name)
        for name in (*provider_csv.TEXTS, *provider_csv.LISTS)
        if name not in row.given
    }
    if kept:
        row.entry = replace(row.entry, **kept)
        row.keys = row.entry.held()
    row.changes = differences(before, row.entry)
    row.what = CHANGED if row.changes else UNCHANGED


def _told_twice(
    rows: list[Reading], column: str, what: str, of: Callable[[Reading], Hashable]
) -> None:
    places: defaultdict[Hashable, list[Reading]] = defaultdict(list)
    for row in rows:
        places[of(row)].append(row)
    for sharing in places.values():
        first = _first(sharing)
        for row in sharing if len(sharing) > 1 else ():
            others = _others(row, first, len(sharing))
            row.fault(column, f"{what}{TWICE}{others}, too. Keep one of them.")


def _is_named(faults: list[Fault], words: str) -> bool:
    return any(words in fault.detail for fault in faults)


def _keys_told_twice(rows: list[Reading]) -> None:
    places: defaultdict[Held, list[Reading]] = defaultdict(list)
    for row in rows:
        for held in set(row.keys):
            places[held].append(row)
    told = 0
    for held, sharing in places.items():
        first = _first(sharing)
        for row in sharing if len(sharing) > 1 else ():
            told += 1
            if told > MOST_SHARED and row.faults:
                row.more += 1
                continue
            row.fault(
                FIELDS[held.kind][1:],
                f"{held.key}{TWICE}{_others(row, first, len(sharing))}, too: "
                "it is one provider’s only.",
            )


def _first(sharing: list[Reading]) -> list[int]:
    """Enough numbers for each of the rows to name others; not all of them for each."""
    return [row.number for row in sharing[: OTHERS_NAMED + 1]]


def _others(row: Reading, first: list[int], count: int) -> str:
    numbers = [number for number in first if number != row.number][:OTHERS_NAMED]
    named = ", ".join(str(number) for number in numbers)
    more = f" and {count - 1 - OTHERS_NAMED} more" if count - 1 > OTHERS_NAMED else ""
    return f"row {named}" if count == 2 else f"rows {named}{more}"


def _domain_and_name(
    row: Reading, register: _Register, about: set[UUID], domains: dict[str, Reading]
) -> None:
    """A name that is a domain of another provider: in the register, or in another row."""
    read = as_domain(row.name) if row.name else None
    if read is not None:
        owner = register.owners.get((read.kind, read.key))
        if owner is not None and owner != row.provider_id and owner not in about:
            told = name_fault(read, register.entries[owner][0].name)
            row.fault(told.pointer[1:], told.detail)
        other = domains.get(read.key)
        if other is not None and other is not row:
            row.fault("name", f"{read.key} is a domain in row {other.number}. Enter another name.")
    for held in filter(_is_domain, row.keys):
        owner = register.by_name.get(held.key)
        if owner is not None and owner != row.provider_id and owner not in about:
            told = called_fault(held.key)
            row.fault(told.pointer[1:], told.detail)


def _is_domain(held: Held) -> bool:
    return held.kind is HoldingKind.DOMAIN


def _taken(
    row: Reading, register: _Register, about: set[UUID], domains: dict[str, Reading]
) -> None:
    """What belongs to providers of the register that the file does not speak of."""
    owner = register.by_name.get(name_key(row.name)) if row.name else None
    if owner is not None and owner != row.provider_id and owner not in about:
        row.fault("name", f"{row.name} is registered already, with another id.")
    _domain_and_name(row, register, about, domains)
    for held in row.keys:
        owner = register.owners.get((held.kind, held.key))
        if owner is not None and owner != row.provider_id and owner not in about:
            told: FieldError = taken_fault(held, register.entries[owner][0].name)
            row.fault(told.pointer[1:], told.detail)
