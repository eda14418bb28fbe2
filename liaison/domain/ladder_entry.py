"""A ladder as people type it: rows of texts, read with every fault named by its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.reading import Faults
from liaison.domain.terms_words import ways
from liaison.domain.vocabulary import PERSONAL, Channel
from liaison.errors import Invalid

MOST_RUNGS = 20

MOST_REPEATS = 20

MOST_CALLS = 60
"""Of a whole ladder, repeats counted: every page that shows one asks the register for each."""

LONGEST_AFTER = 60 * 24 * 60
"""Minutes from issue to a rung: sixty days, beyond any time to acknowledge that is agreed."""

SHORTEST_PAGE, LONGEST_PAGE = 5, 24 * 60
"""Minutes between two pages at the top: nobody can act in less, nor may sleep through more."""


def read_ladder(rows: Sequence[Mapping[str, Any]], page_every: str | None) -> Ladder:
    """The ladder that was typed, its rungs in time order; ``Invalid`` names every fault.

    A row has ``after``, ``whom``, ``contact`` (an id), ``channels``, ``repeats`` and ``every``,
    times in minutes. Pointers are ``/rungs/<row>/<name>`` and ``/page_every``.
    """
    faults = Faults()
    rungs = [_rung(row, f"/rungs/{index}", faults) for index, row in enumerate(rows[:MOST_RUNGS])]
    if not rows:
        faults.add("/rungs", "Add at least one rung: a ladder without rungs calls nobody.")
    elif len(rows) > MOST_RUNGS:
        detail = f"A ladder has at most {MOST_RUNGS} rungs; there are {len(rows)}. Take some out."
        faults.add("/rungs", detail)
    calls = sum(rung.repeats + 1 for rung in rungs if rung is not None)
    if calls > MOST_CALLS and len(rows) <= MOST_RUNGS:
        faults.add("/rungs", f"Repeats included, {too_many_calls(calls)}")
    every = _number(page_every, "/page_every", SHORTEST_PAGE, LONGEST_PAGE, faults)
    if faults.found:
        raise Invalid(faults.found)
    whole = sorted((rung for rung in rungs if rung is not None), key=lambda rung: rung.after)
    return Ladder(tuple(whole), timedelta(minutes=every or 0))


def too_many_calls(calls: int) -> str:
    """What is said of a ladder with more calls than one can have."""
    return f"the ladder calls {calls} times, at most {MOST_CALLS} are possible. Take some out."


def read_what_can_be(rows: Sequence[Mapping[str, Any]], page_every: str | None) -> Ladder:
    """The rows that hold no fault, for the picture of a ladder that is still being typed."""
    quiet = Faults()
    found = [_rung(row, "", quiet) for row in rows[:MOST_RUNGS]]
    whole = sorted((rung for rung in found if rung is not None), key=lambda rung: rung.after)
    every = _number(page_every, "", SHORTEST_PAGE, LONGEST_PAGE, quiet)
    return Ladder(tuple(whole), timedelta(minutes=every or 15))


def _rung(row: Mapping[str, Any], place: str, faults: Faults) -> Rung | None:
    before = len(faults.found)
    after = _number(row.get("after"), f"{place}/after", 0, LONGEST_AFTER, faults)
    whom = _whom(row.get("whom"), f"{place}/whom", faults)
    contact = _contact(row.get("contact"), whom, f"{place}/contact", faults)
    channels = _channels(row.get("channels"), f"{place}/channels", faults)
    repeats = _number(row.get("repeats") or "0", f"{place}/repeats", 0, MOST_REPEATS, faults)
    every = 0
    if repeats:
        every = _number(row.get("every"), f"{place}/every", 1, LONGEST_AFTER, faults) or 0
    if len(faults.found) > before:
        return None
    assert after is not None and whom is not None and repeats is not None
    return Rung(
        timedelta(minutes=after), whom, channels, contact, repeats, timedelta(minutes=every)
    )


def _number(typed: object, pointer: str, low: int, high: int, faults: Faults) -> int | None:
    text = str(typed if typed is not None else "").strip()
    # Nine digits at most: longer ones are refused before anything is counted with them.
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and low <= int(text) <= high):
        faults.add(pointer, f"Enter a whole number from {low} to {high}.")
        return None
    return int(text)


def _whom(typed: object, pointer: str, faults: Faults) -> Whom | None:
    if str(typed) not in set(Whom):
        faults.add(pointer, "Choose from the list whom this rung calls.")
        return None
    return Whom(str(typed))


def _contact(typed: object, whom: Whom | None, pointer: str, faults: Faults) -> str | None:
    """The id of a named contact; what is typed for any other rung is left aside."""
    if whom is not Whom.NAMED:
        return None
    try:
        return str(UUID(str(typed or "")))
    except ValueError:
        faults.add(pointer, "Choose the contact that this rung calls.")
        return None


def _channels(typed: object, pointer: str, faults: Faults) -> tuple[Channel, ...]:
    given = set(map(str, typed)) if isinstance(typed, (list, tuple)) else set()
    found = tuple(channel for channel in PERSONAL if channel.value in given)
    if not found or len(found) != len(given):
        faults.add(pointer, f"Choose at least one way: {ways(PERSONAL, 'or')}.")
        return ()
    return found
