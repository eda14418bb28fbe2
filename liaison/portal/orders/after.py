"""What follows a preservation: extending it, what it is kept for, releasing, disposal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.extension import Limit, Wish, left, longest
from liaison.domain.lifecycle import Action
from liaison.domain.vocabulary import FollowUpKind
from liaison.errors import FieldError, Invalid
from liaison.models import Extension, Order, PartyRule
from liaison.portal.orders import moments, proving
from liaison.portal.orders.blueprint import (
    allowed_to,
    bp,
    needed,
    open_to,
    page,
    posted,
    seen_order,
    send,
)
from liaison.portal.orders.draft_data import number
from liaison.portal.orders.draft_form import option
from liaison.portal.orders.kept_forms import (
    ASKED,
    OTHER,
    AskExtensionForm,
    ConfirmExtensionForm,
    DisposalForm,
    FollowUpForm,
    ReleaseForm,
)
from liaison.queries import extension_limits, party_rules
from liaison.services import disposals, extensions, follow_ups, releases


@dataclass(frozen=True)
class Extending:
    """What the page of an extension tells beside its form."""

    until: datetime | None
    """The promised date."""
    wish: Extension | None
    done: int
    """How many extensions were confirmed."""
    left: int | None
    longest: int | None
    limits: list[Limit]
    rules: list[PartyRule]
    """What the law of the Party that asks says: for information, it binds nobody here."""


@bp.route("/<ref>/extension", methods=["GET", "POST"])
def extension(ref: str) -> ResponseReturnValue:
    """The contact point asks for a later date; the provider gives one."""
    order = seen_order(ref)
    return _confirm(order) if web.actor().is_provider else _ask(order)


def _ask(order: Order) -> ResponseReturnValue:
    form, told = AskExtensionForm(), _extending(order)
    if not posted():
        open_to(order, Action.ASK_EXTENSION)
        extensions.askable(order)
        form.version.data = str(order.version)
        days = order.duration_days if told.longest is None else told.longest
        form.days.data = form.days.data or str(min(order.duration_days, days))
        return page("extension_ask", order, form, told=told)

    def act() -> None:
        until = _moment(form.until.data)
        days = None if until else _days(form.days.data)
        extensions.ask(
            web.db(),
            web.actor(),
            order.name,
            Wish(days=days, until=until),
            web.now(),
            reason=form.reason.data,
            version=form.seen,
        )

    return send("extension_ask", order, form, act, Action.ASK_EXTENSION, told=told)


def _confirm(order: Order) -> ResponseReturnValue:
    form, told = ConfirmExtensionForm(), _extending(order)
    if told.wish:
        asked = f"Until {told.wish.until:%d %b %Y, %H:%M} UTC, as asked"
        form.which.choices = [option(ASKED, asked), option(OTHER, "Until another date")]
    if not posted():
        open_to(order, Action.EXTEND)
        extensions.confirmable(order)
        form.version.data = str(order.version)
        form.which.data = form.which.data or ASKED
        return page("extension_confirm", order, form, told=told)

    def act() -> None:
        extensions.confirm(
            web.db(),
            web.actor(),
            order.name,
            Wish(until=_chosen(form, told)),
            web.now(),
            reference=_text(form.reference.data),
            note=_text(form.note.data),
            version=form.seen,
        )

    return send("extension_confirm", order, form, act, Action.EXTEND, told=told)


def _chosen(form: ConfirmExtensionForm, told: Extending) -> datetime | None:
    if form.which.data == ASKED:
        # None where nobody asks any more: the verb says so.
        return told.wish.until if told.wish else None
    if form.which.data != OTHER:
        raise Invalid([FieldError("/which", "Say until when the data will be kept.")])
    until = _moment(form.until.data)
    if until is None:
        raise Invalid([FieldError("/until", moments.HOW)])
    return until


def _extending(order: Order) -> Extending:
    session = web.db()
    limits = extension_limits.limits(session, order)
    done = len(extension_limits.confirmed(order))
    return Extending(
        until=order.preserved_until,
        wish=extension_limits.open_wish(order),
        done=done,
        left=left(done, limits),
        longest=longest(limits),
        limits=limits,
        rules=[] if web.actor().is_provider else party_rules.for_order(session, order),
    )


@bp.route("/<ref>/mla", methods=["GET", "POST"])
def follow_up(ref: str) -> ResponseReturnValue:
    """The MLA request or production order that was sent."""
    order = seen_order(ref)
    form = FollowUpForm()
    if not posted():
        open_to(order, Action.RECORD_MLA)
        follow_ups.keepable(order)
        form.version.data = str(order.version)
        form.kind.data = form.kind.data or FollowUpKind.MLA.value
        today = web.now().astimezone(ZoneInfo(order.authority.time_zone)).date()
        form.sent_on.data = form.sent_on.data or today.isoformat()
        return page("mla", order, form)

    def act() -> None:
        kind, sent_on = _followed(form)
        follow_ups.record(
            web.db(),
            web.actor(),
            ref,
            kind,
            form.reference.data or "",
            sent_on,
            web.now(),
            note=form.note.data,
            version=form.seen,
        )

    return send("mla", order, form, act, Action.RECORD_MLA)


def _followed(form: FollowUpForm) -> tuple[FollowUpKind, date]:
    faults = []
    if form.kind.data not in set(FollowUpKind):
        faults.append(FieldError("/kind", "Say what was sent."))
    if not (form.reference.data or "").strip():
        detail = "Enter the reference of the request or order that was sent."
        faults.append(FieldError("/reference", detail))
    text = (form.sent_on.data or "").strip()
    sent_on = _date(text)
    if sent_on is None:
        faults.append(FieldError("/sent_on", "Enter the day it was sent, like 2027-01-12."))
    if faults or sent_on is None:
        raise Invalid(faults)
    return FollowUpKind(form.kind.data), sent_on


@bp.route("/<ref>/release", methods=["GET", "POST"])
def release(ref: str) -> ResponseReturnValue:
    """The data are needed no longer; a fresh code or passkey lets them go."""
    order = seen_order(ref)
    form = ReleaseForm()
    if not posted():
        open_to(order, Action.RELEASE)
        form.version.data = str(order.version)
        return page("release", order, form, **proving.for_page(order))
    if Action.RELEASE in allowed_to(order):  # else no code is used up: it is said below why not
        refused = proving.step_up(order, form.code.data or "")
        if refused:
            wrong = needed(proving.place(order), refused)
            return page("release", order, form, wrong, **proving.for_page(order))

    def act() -> None:
        note = _text(form.note.data)
        releases.release(web.db(), proving.actor(), ref, web.now(), note=note, version=form.seen)

    return send("release", order, form, act, Action.RELEASE, **proving.for_page(order))


@bp.route("/<ref>/disposal", methods=["GET", "POST"])
def disposal(ref: str) -> ResponseReturnValue:
    """What was kept is gone."""
    order = seen_order(ref)
    form = DisposalForm()
    if not posted():
        open_to(order, Action.DISPOSE)
        disposals.wanted(order)
        form.version.data = str(order.version)
        return page("disposal", order, form)

    def act() -> None:
        disposals.confirm(
            web.db(),
            web.actor(),
            ref,
            web.now(),
            reference=_text(form.reference.data),
            note=_text(form.note.data),
            version=form.seen,
        )

    return send("disposal", order, form, act, Action.DISPOSE)


def _days(text: str | None) -> int | None:
    if not (text or "").strip():
        return None
    days = number(text or "")
    return 0 if isinstance(days, str) or days is None else days  # the verb says what is possible


def _moment(text: str | None) -> datetime | None:
    if not text or not text.strip():
        return None
    try:
        return datetime.fromisoformat(moments.to_rfc3339(text, "UTC")).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid([FieldError("/until", moments.HOW)]) from None


def _date(text: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _text(text: str | None) -> str | None:
    return text.strip() or None if text else None
