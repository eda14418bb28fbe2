"""An order's targets as a CSV file that its provider fills in and sends back.

``domain.answer_csv`` reads it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from liaison.documents import csv_file
from liaison.domain.answer_csv import COLUMNS

BOM = "\ufeff"
"""Before the first line, so that spreadsheets read UTF-8."""


def write(rows: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """The file, line by line; a column that a row does not name stays empty."""
    yield BOM
    yield from csv_file.lines([COLUMNS])
    yield from csv_file.lines([row.get(name, "") for name in COLUMNS] for row in rows)
