"""The words that an order is found by, in one normal form for who writes and who looks.

An identifier is found whole, in any spelling of its kind. A ref, a case number and a reference
are found by the beginning of any word in them, whatever their case and width: ``0042`` and
``cp-2026`` both find ``CP-2026-0042``.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from itertools import islice

from liaison.domain import targets
from liaison.domain.vocabulary import TargetType, Term

LONGEST = 200
"""Characters of a key; of a longer one the beginning stands, and a digest of the whole."""

_KEPT = 100
MOST_BEGINNINGS = 12
"""Words of one text by which it is found."""


class KeyKind(Term):
    """What a key is."""

    REF = "ref", "Ref"
    TARGET = "target", "Identifier"
    CASE = "case", "Case number", "Of the investigating authority, the prosecution or the court."
    REFERENCE = "reference", "Counterpart's reference"
    ANSWER = "answer", "Provider's reference"


BY_BEGINNING = tuple(kind for kind in KeyKind if kind is not KeyKind.TARGET)
"""Kinds of which the beginning of a word is enough."""


def fold(text: str) -> str:
    """Case and width do not count, nor how many spaces there are."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def beginnings(text: str | None) -> set[str]:
    """The keys of a ref, number or reference: the whole, and from each of its words on."""
    whole = fold(text or "")
    if not whole:
        return set()
    words = islice(re.finditer(r"\w+", whole), MOST_BEGINNINGS)
    return {bounded(whole), *(bounded(whole[word.start() :]) for word in words)}


def bounded(key: str) -> str:
    """The key as it fits into an index."""
    if len(key) <= LONGEST:
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{key[:_KEPT]}#{digest}"


def of_targets(search_keys: Iterable[str]) -> set[str]:
    """The keys of an order's identifiers."""
    return {bounded(key) for key in search_keys}


def as_identifier(text: str) -> list[str]:
    """What was typed as every kind of identifier it could be, in the normal form of that kind."""
    found = []
    for kind in TargetType:
        try:
            found.append(bounded(targets.parse(kind, text).search_key))
        except ValueError:
            continue
    return found


def as_beginning(text: str) -> tuple[str, str] | None:
    """The range of keys that begin with what was typed, from and up to; None where it is empty."""
    typed = fold(text)
    if not typed:
        return None
    typed = typed if len(typed) <= LONGEST else bounded(typed)
    return typed, typed + "\U0010ffff"
