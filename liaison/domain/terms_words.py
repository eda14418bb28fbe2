"""A memorandum's terms in plain words, and what differs between two of them.

Nothing here is law: no law sets a time in hours to acknowledge or to preserve. Where a treaty
gives a rule, the explanation names it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from itertools import groupby, zip_longest

from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.terms import Terms, Window
from liaison.domain.vocabulary import Channel, Term, Urgency

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Line:
    """One term as people read it; of a ladder one line for each rung and one for the top.

    ``key`` begins with the field of ``Terms``: ``answer``, ``clocks/emergency/preserve``,
    ``ladders/urgent/2``.
    """

    key: str
    label: str
    value: str
    explanation: str


@dataclass(frozen=True)
class Change:
    """A term that differs; an empty text where a side has no such line."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Names:
    """Names of what terms only point at: a rung's contact by its id, a language by its code."""

    contact: Callable[[str], str] = lambda _: "a registered contact"
    language: Callable[[str], str] = lambda code: code


def span(length: timedelta) -> str:
    """A length without rounding: ``45 min``, ``1 h 30 min``, ``26 h``, ``2 days 3 h 15 min``.

    From two days on days are named; terms differ in minutes, so none is left out.
    """
    minutes = int(length.total_seconds()) // 60
    days, rest = divmod(minutes, 24 * 60) if minutes >= 48 * 60 else (0, minutes)
    hours, left = divmod(rest, 60)
    parts = [(days, "days"), (hours, "h"), (left, "min")]
    return " ".join(f"{n} {unit}" for n, unit in parts if n) or "0 min"


def counted(number: int, one: str, many: str) -> str:
    """``1 day``, ``90 days``."""
    return f"{number} {one if number == 1 else many}"


def said(terms: Terms, names: Names | None = None) -> list[Line]:
    """Every term, in the order in which people ask for them."""
    lines = _clocks(terms)
    for urgency in reversed(Urgency):
        lines += _ladder(urgency, terms.ladders.get(urgency), names or Names())
    return [*lines, *_duties(terms), *_limits(terms, names or Names())]


def compare(before: Terms, after: Terms, names: Names | None = None) -> list[Change]:
    """What differs between two versions; ladders rung by rung."""
    changes = []
    for was, becomes in _pairs(said(before, names), said(after, names)):
        line = becomes or was
        if line and not (was and becomes and was.value == becomes.value):
            texts = (was.value if was else "", becomes.value if becomes else "")
            changes.append(Change(line.label, *texts))
    return changes


def unchanged(before: Terms, after: Terms, names: Names | None = None) -> list[Line]:
    """What is the same in both."""
    return [
        becomes
        for was, becomes in _pairs(said(before, names), said(after, names))
        if was and becomes and was.value == becomes.value
    ]


Pair = tuple[Line | None, Line | None]


def _pairs(old: list[Line], new: list[Line]) -> Iterator[Pair]:
    """Each line beside the other version's line of the same term."""
    for topic, lines in groupby(new, key=_topic):
        theirs = [line for line in old if _topic(line) == topic]
        yield from _aligned(theirs, list(lines))


def _topic(line: Line) -> str:
    """The rungs of one ladder belong together: one more must not make all that follow differ."""
    start, _, place = line.key.rpartition("/")
    return start if start.startswith("ladders/") and place.isdigit() else line.key


def _aligned(old: list[Line], new: list[Line]) -> Iterator[Pair]:
    same = SequenceMatcher(None, [o.value for o in old], [n.value for n in new], autojunk=False)
    for _, first, last, start, end in same.get_opcodes():
        yield from zip_longest(old[first:last], new[start:end])


def _clocks(terms: Terms) -> list[Line]:
    lines = []
    for urgency in reversed(Urgency):
        clocks = terms.clocks.get(urgency)
        for name, of, about in (
            (
                "acknowledge",
                clocks.acknowledge if clocks else None,
                "say that the order was received",
            ),
            ("preserve", clocks.preserve if clocks else None, "confirm that the data are kept"),
        ):
            lines.append(
                Line(
                    f"clocks/{urgency.value}/{name}",
                    f"{urgency.label}: time to {name}",
                    f"within {span(of)} of issue" if of is not None else "not set",
                    f"How long the provider has to {about}. "
                    "This clock is the memorandum’s; no law sets hours.",
                )
            )
    return lines


def _ladder(urgency: Urgency, ladder: Ladder | None, names: Names) -> list[Line]:
    start, label = f"ladders/{urgency.value}", f"{urgency.label}: ladder"
    if ladder is None or not ladder.rungs:
        about = "An order that nobody answers would call nobody."
        return [Line(f"{start}/0", f"{label}, rung 1", "none", about)]
    lines = [
        Line(
            f"{start}/{index}",
            f"{label}, rung {index + 1}",
            rung_words(rung, names),
            f"Whom an unanswered order calls. {rung.whom.explanation}",
        )
        for index, rung in enumerate(ladder.rungs)
    ]
    return [
        *lines,
        Line(
            f"{start}/page_every",
            f"{label}, at the top",
            f"the contact point’s supervisor, every {span(ladder.page_every)}",
            "When all rungs are used up; it goes on until a person closes it with a reason.",
        ),
    ]


def whom_words(whom: Whom) -> str:
    """Whom a rung calls, as both sides can say it."""
    return whom.label.replace("Our ", "The contact point’s ")


def rung_words(rung: Rung, names: Names) -> str:
    """``after 15 min, every SPOC by e-mail, 2 more times every 5 min``."""
    when = f"after {span(rung.after)}" if rung.after else "at once"
    who = whom_words(rung.whom)
    if rung.whom is Whom.NAMED and rung.contact:
        who = names.contact(rung.contact)
    elif not who.startswith("SPOC"):
        who = who[0].lower() + who[1:]
    text = f"{when}, {who} by {ways(rung.channels)}"
    if rung.repeats:
        more = counted(rung.repeats, "more time", "more times")
        text += f", {more} every {span(rung.every)}"
    return text


def ways(channels: Iterable[Channel], last: str = "and") -> str:
    """``e-mail, text message and phone call``, in the order of the list that they are from."""
    given = set(channels)
    *some, end = [c.label.lower() for c in Channel if c in given] or ["no way"]
    return f"{', '.join(some)} {last} {end}" if some else end


def _duties(terms: Terms) -> list[Line]:
    stops = "the clock of a routine order stops meanwhile"
    return [
        Line(
            "answer",
            "Questions of the provider",
            f"answered by the contact point within {span(terms.answer)}",
            "How long the contact point has to answer what the provider asks about an order.",
        ),
        Line(
            "clock_stops",
            "While a question is open",
            stops if terms.clock_stops else "the clocks go on",
            "Whether the provider’s time runs while it waits for an answer.",
        ),
        Line(
            "ratification",
            "Emergency issued by one person",
            f"ratified by a second person within {span(terms.ratification)}",
            "In an emergency the second person may agree after the fact, within this time.",
        ),
        Line(
            "emergency_windows",
            "Available for emergencies",
            windows(terms.emergency_windows),
            "When the provider can be reached for an emergency, in its own time zone.",
        ),
        *_hours(terms),
        Line(
            "drills_a_year",
            "Drills",
            f"{terms.drills_a_year} a year" if terms.drills_a_year else "none",
            "Orders marked TEST that go the whole way, to see that the ladder works.",
        ),
        Line(
            "disposal_confirmation",
            "Disposal",
            "confirmed by the provider" if terms.disposal_confirmation else "not to be confirmed",
            "Whether the provider says so once the data are no longer kept.",
        ),
    ]


def _hours(terms: Terms) -> list[Line]:
    closed = "closed: people there are not called for a routine order"
    return [
        Line(
            "office_hours",
            "Office hours, for routine orders",
            windows(terms.office_hours),
            "A step of a routine order’s ladder that calls people at the provider waits until they "
            "open, in its own time zone. Deadlines do not move, and urgent orders and emergencies "
            "never wait.",
        ),
        Line(
            "observes_holidays",
            "Public holidays of the provider’s country",
            closed if terms.observes_holidays else "like any other day",
            "Whether the provider is closed on them for routine orders. Deadlines do not move.",
        ),
        Line(
            "reply_acknowledges",
            "The answer “1” to a text message",
            "acknowledges receipt" if terms.reply_acknowledges else "does not acknowledge receipt",
            "Whether a SPOC can say by their registered phone that an order was received. "
            "Preservation is never confirmed by it.",
        ),
    ]


def _limits(terms: Terms, names: Names) -> list[Line]:
    return [
        Line(
            "default_days",
            "How long data are kept",
            counted(terms.default_days, "day", "days") + ", unless the order says otherwise",
            "The Budapest Convention allows up to 90 days, renewable (art. 16(2)); for a foreign "
            "request at least 60 (art. 29(7)).",
        ),
        Line(
            "longest_days",
            "Longest time an order may ask for",
            counted(terms.longest_days, "day", "days"),
            "A longer one cannot be issued; an extension can follow where it is agreed.",
        ),
        Line(
            "extensions",
            "Extensions",
            counted(terms.extensions, "extension", "extensions") if terms.extensions else "none",
            "How often the time can be prolonged.",
        ),
        Line(
            "categories",
            "Data covered",
            _listed(terms.categories),
            "Categories of data that an order under this memorandum may ask for.",
        ),
        Line(
            "target_types",
            "Targets covered",
            _listed(terms.target_types),
            "By what the data may be identified.",
        ),
        Line(
            "issuers",
            "Who may issue",
            _listed(terms.issuers),
            "The roles at the contact point whose orders the provider accepts.",
        ),
        Line(
            "languages",
            "Languages",
            ", ".join(map(names.language, terms.languages)) or "none named",
            "The languages in which orders and answers are written (ISO 639-1).",
        ),
    ]


def _listed(words: Iterable[Term]) -> str:
    """The words of a closed list in that list's own order, so that two versions read alike."""
    found = set(words)
    kinds = {type(word) for word in found}
    return ", ".join(w.label for kind in kinds for w in kind if w in found) or "none"


def windows(hours: Iterable[Window]) -> str:
    """``Monday to Friday, 08:00 to 20:00; Saturday, 09:00 to 12:00``."""
    return "; ".join(window(one) for one in hours) or "day and night, all week"


def window(hours: Window) -> str:
    """``Monday to Friday, 08:00 to 20:00``."""
    days = sorted(set(hours.days))
    unbroken = len(days) > 2 and days == list(range(days[0], days[-1] + 1))
    names = [DAYS[d] for d in days]
    when = f"{names[0]} to {names[-1]}" if unbroken else ", ".join(names)
    return f"{when}, {hours.opens} to {hours.closes}"
