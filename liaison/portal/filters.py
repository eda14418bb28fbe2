"""How times, spans and states read on a page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from flask import Flask

from liaison import clock, web
from liaison.domain import attachments
from liaison.domain.ladder import Step
from liaison.domain.lifecycle import OrderState
from liaison.domain.terms_words import DAYS, ways
from liaison.domain.vocabulary import Outcome, Urgency
from liaison.models import Order
from liaison.portal import icons, kept
from liaison.portal.frame import frame
from liaison.queries import four_eyes
from liaison.queries.queue import is_overdue

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Not the server's locale: every page reads alike."""

COUNTED_IN_DAYS = timedelta(days=2)
"""From here on a countdown shows whole days; liaison.js has the same limit."""

_SIX_DAYS = timedelta(days=6)

Tag = tuple[str, str, str]
"""Kind (colour), icon, words."""


def utc(moment: datetime | None, seconds: bool = False) -> str:
    """``23 Nov 2026, 01:10``: a moment in UTC; ``seconds`` adds them, with whole milliseconds.

    Finer than that only a machine writes, and no paper is clearer for it: the ledger has it.
    """
    if moment is None:
        return ""
    at = moment.astimezone(UTC)
    return f"{day(at)}, {_seconds(at) if seconds else hm(at)}"


def written(value: object) -> str:
    """``23 Nov 2026, 01:10 UTC`` or ``23 Nov 2026``: a moment or a day as JSON has it.

    What is neither stays as it is.
    """
    text = str(value or "")
    try:
        if len(text) == len("2026-11-23"):
            return day(date.fromisoformat(text))
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return f"{utc(moment)} UTC" if moment.tzinfo else text


def hm(moment: datetime | None) -> str:
    """``01:10``: the time of day in UTC."""
    return f"{moment.astimezone(UTC):%H:%M}" if moment else ""


def day(value: date | None) -> str:
    """``23 Nov 2026``."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}" if value else ""


def iso(moment: datetime | None) -> str:
    """RFC 3339 in UTC."""
    return clock.rfc3339(moment) if moment else ""


def in_zone(moment: datetime, zone: str, near: datetime | None = None) -> str:
    """``23 Nov 2026, 05:10 Yerevan``: a moment in another zone.

    The day is left out where it is the same as that of ``near`` in UTC, which stands beside it.
    """
    local = _local(moment, zone)
    if local is None:
        return f"{utc(moment)} UTC"
    city = zone.rsplit("/", 1)[-1].replace("_", " ")
    time = f"{local:%H:%M} {city}"
    if near is not None and local.date() == near.astimezone(UTC).date():
        return time
    return f"{day(local)}, {time}"


def exact(moment: datetime, zone: str | None = None) -> str:
    """To the microsecond where there are any, in UTC and in the reader's zone."""
    text = iso(moment).replace("T", " ").replace("Z", " UTC")
    local = _local(moment, zone) if zone and zone != "UTC" else None
    return f"{text} · {local.isoformat(sep=' ')} {zone}" if local else text


def span(length: timedelta) -> str:
    """A length in its largest units: ``45 min``, ``1 h 30 min``, ``26 h``, ``2 days 15 min``.

    From a week on whole days are enough.
    """
    minutes = abs(int(length.total_seconds())) // 60
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        hours, rest = divmod(minutes, 60)
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    days, rest = divmod(minutes, 24 * 60)
    if days >= 7 or not rest:
        return f"{days} days"
    return f"{days} days {rest // 60} h" if rest >= 60 else f"{days} days {rest} min"


def ago(moment: datetime | None) -> str:
    """``2 min ago``, ``in 3 h``; a moment measured from now."""
    if moment is None:
        return ""
    length = web.now() - moment
    if abs(length) < timedelta(minutes=1):
        return "just now" if length >= timedelta(0) else "in a moment"
    return f"{span(length)} ago" if length > timedelta(0) else f"in {span(length)}"


def left(moment: datetime) -> str:
    """What a countdown shows before the script counts on: ``18:42``, ``−02:07:00``, ``14 days``."""
    length = moment - web.now()
    sign = "−" if length < timedelta(0) else ""
    if abs(length) >= COUNTED_IN_DAYS:
        return f"{sign}{abs(length).days} days"
    seconds = round(abs(length).total_seconds())
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return sign + (f"{hours:02}:" if hours else "") + f"{minute:02}:{second:02}"


def state_words(order: Order, partly: bool = False) -> Tag:
    """The order's state as a tag. Only lateness is red. ``partly``: not all that was asked for."""
    if is_overdue(order, web.now()):
        return "red", "alarm", f"Overdue: {_OWED[order.state]}"
    kind, name = _STATES[order.state]
    words = order.state.label
    if order.state is OrderState.PRESERVED and order.preserved_until is None:
        return "", "slash-circle", "Answered: nothing held"
    if order.state is OrderState.PRESERVED and order.mla_recorded_at:
        return kind, "bank", "Kept until it is decided"
    if order.state is OrderState.PRESERVED and order.preserved_until:
        if partly:
            kind, name, words = "amber", "pie-chart", Outcome.PARTIAL.label
        words = f"{words} until {day(order.preserved_until.astimezone(UTC))}"
    return kind, name, words


def ratified_words(order: Order) -> Tag | None:
    """What both sides see while nobody has ratified an emergency; red once it is late."""
    if not four_eyes.awaits_ratification(order):
        return None
    if four_eyes.is_late(order, web.now()):
        return "red", "person-x", "Not ratified"
    if web.actor().is_provider:
        return "amber", "person-exclamation", "Not yet ratified"
    return "amber", "person-exclamation", f"Ratify by {_soon(order.ratify_by)}"


def urgency_words(order: Order) -> Tag:
    """The order's urgency as a tag."""
    kind, name = _URGENCIES[order.urgency]
    return kind, name, order.urgency.label


_STATES = {
    OrderState.DRAFT: ("", "pencil"),
    OrderState.SUBMITTED: ("amber", "people"),
    OrderState.ISSUED: ("amber", "hourglass-split"),
    OrderState.ACKNOWLEDGED: ("blue", "check2-circle"),
    OrderState.PRESERVED: ("green", "shield-check"),
    OrderState.DECLINED: ("", "slash-circle"),
    OrderState.WITHDRAWN: ("", "arrow-counterclockwise"),
    OrderState.RELEASED: ("", "unlock"),
    OrderState.EXPIRED: ("", "hourglass-bottom"),
    OrderState.DISPOSED: ("", "trash"),
}
_OWED = {OrderState.ISSUED: "not acknowledged", OrderState.ACKNOWLEDGED: "not preserved"}
_URGENCIES = {
    Urgency.EMERGENCY: ("emergency", "exclamation-octagon-fill"),
    Urgency.URGENT: ("amber", "lightning-charge"),
    Urgency.ROUTINE: ("", "calendar3"),
}


def _seconds(moment: datetime) -> str:
    whole = f"{moment:%H:%M:%S}"
    thousandths, finer = divmod(moment.microsecond, 1000)
    return whole if finer or not thousandths else f"{whole}.{thousandths:03}".rstrip("0")


def _soon(moment: datetime | None) -> str:
    """``01:29`` where that is today, else ``30 Nov 2026, 01:29``."""
    today = moment is not None and moment.astimezone(UTC).date() == web.now().date()
    return hm(moment) if today else utc(moment)


def _local(moment: datetime, zone: str) -> datetime | None:
    """The moment in another zone; None where the calendar has no such hour there."""
    try:
        return moment.astimezone(_zone(zone))
    except OverflowError:
        return None


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def put_off(step: Step, zone: str) -> str:
    """``waits until Monday 09:00 (provider’s hours)``, in the provider's zone; else nothing."""
    if not step.waits:
        return ""
    local = step.due_at.astimezone(_zone(zone))
    # Beyond a week the name of a day says too little.
    date_ = f" {local.day} {_MONTHS[local.month - 1]}" if step.waits > _SIX_DAYS else ""
    return f"waits until {DAYS[local.weekday()]}{date_} {local:%H:%M} (provider’s hours)"


def register(app: Flask) -> None:
    """Makes all of it known to the templates."""
    icons.load()
    app.jinja_env.filters.update(
        utc=utc,
        written=written,
        hm=hm,
        day=day,
        iso=iso,
        in_zone=in_zone,
        exact=exact,
        span=span,
        ago=ago,
        left=left,
        ways=ways,
        put_off=put_off,
        file_name=attachments.shown,
        file_kind=lambda kind: attachments.LABELS.get(kind, kind),
    )
    app.jinja_env.globals.update(
        icon=icons.icon,
        now=web.now,
        frame=frame,
        kept_words=kept.words,
        state_words=state_words,
        ratified_words=ratified_words,
        urgency_words=urgency_words,
    )
