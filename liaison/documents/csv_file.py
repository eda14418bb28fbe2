"""Tables as CSV (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BREAKS = ("\t", "\r", "\n", "\v", "\f")


def cell(text: str) -> str:
    """The text; one that a spreadsheet would take for a formula begins with an apostrophe."""
    seen = "".join(c for c in text if not c.isspace() and unicodedata.category(c) != "Cf")
    hidden = text[:1] in _BREAKS or seen.startswith(_FORMULA)
    return f"'{text}" if hidden else text


def lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The file, row by row; cells are neutralised, every one is quoted."""
    for row in rows:
        buffer = io.StringIO()
        csv.writer(buffer, quoting=csv.QUOTE_ALL).writerow([cell(text) for text in row])
        yield buffer.getvalue()
