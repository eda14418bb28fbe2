"""What the contact point does to a ladder that climbs: call ahead, skip, pause, close, reopen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from flask.typing import ResponseReturnValue
from wtforms import HiddenField, RadioField, SelectField

from liaison import web
from liaison.domain.ladder import Whom
from liaison.domain.ladder_acts import pauses_for
from liaison.domain.lifecycle import Action
from liaison.domain.vocabulary import Urgency
from liaison.errors import FieldError, Invalid
from liaison.portal.filters import span, utc
from liaison.portal.orders import words
from liaison.portal.orders.answer_forms import UNREAD, ReasonForm, VersionForm
from liaison.portal.orders.blueprint import bp, open_to, page, posted, seen_order, send
from liaison.portal.orders.draft_form import option
from liaison.queries.ladder import LadderView, StepView, ladder_of
from liaison.services import escalation, ladder_holds, ladder_moves


class StepForm(ReasonForm):
    """A form that names the step that was read as the next one."""

    step = HiddenField()

    @property
    def read(self) -> int:
        """Its number; ``UNREAD`` where the form names none."""
        return _number(self.step.data)


class SkipForm(StepForm):
    """At which rung the ladder goes on."""

    to = RadioField("Go on at", validate_choice=False)


class PauseForm(ReasonForm):
    """For how long nobody is called, and why."""

    until = SelectField("Pause for", validate_choice=False)


def _number(text: str | None) -> int:
    given = text or ""
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 9 else UNREAD


@bp.route("/<ref>/escalate", methods=["GET", "POST"])
def escalate(ref: str) -> ResponseReturnValue:
    """The next step of the ladder, now."""
    form = StepForm()

    def act() -> None:
        reason = form.reason.data or ""
        ladder_moves.escalate(
            web.db(), web.actor(), ref, form.read, reason, web.now(), version=form.seen
        )

    return _act("escalate", ref, form, Action.ESCALATE, act)


@bp.route("/<ref>/skip", methods=["GET", "POST"])
def skip(ref: str) -> ResponseReturnValue:
    """A later rung, now; those before it are not called."""
    form = SkipForm()
    form.to.choices = _rungs(_ladder(ref).ahead)

    def act() -> None:
        reason, to = form.reason.data or "", _number(form.to.data)
        if not form.to.data:
            raise Invalid(_missing(reason))
        ladder_moves.skip(
            web.db(), web.actor(), ref, form.read, to, reason, web.now(), version=form.seen
        )

    return _act("skip_rungs", ref, form, Action.SKIP_RUNGS, act)


def _missing(reason: str) -> list[FieldError]:
    """The rung, which was not chosen, and whatever else: nobody is sent back twice."""
    faults = [FieldError("/to", "Choose the rung at which it goes on.")]
    if not reason.strip():
        faults.append(FieldError("/reason", "Say why the rungs before it are not called."))
    return faults


@bp.route("/<ref>/pause-escalation", methods=["GET", "POST"])
def pause_escalation(ref: str) -> ResponseReturnValue:
    """Nobody is called until the pause ends, by itself or by hand."""
    form = PauseForm()
    form.until.choices = _lengths(seen_order(ref).urgency)

    def act() -> None:
        minutes = _number(form.until.data)
        # A length that no browser offers is too long, too: the verb says how long it may be.
        until = web.now() + timedelta(minutes=min(max(minutes, 0), 10_000))
        reason = form.reason.data or ""
        ladder_holds.pause(web.db(), web.actor(), ref, until, reason, web.now(), version=form.seen)

    return _act("pause_escalation", ref, form, Action.PAUSE_LADDER, act)


def _lengths(urgency: Urgency) -> list[tuple[str, str]]:
    lengths = pauses_for(urgency)
    return [option(str(length // timedelta(minutes=1)), span(length)) for length in lengths]


@bp.route("/<ref>/go-on", methods=["GET", "POST"])
def go_on(ref: str) -> ResponseReturnValue:
    """Ends a pause before its time."""
    form = VersionForm()

    def act() -> None:
        ladder_holds.go_on(web.db(), web.actor(), ref, web.now(), version=form.seen)

    return _act("go_on", ref, form, Action.RESUME_LADDER, act)


@bp.route("/<ref>/close-escalation", methods=["GET", "POST"])
def close_escalation(ref: str) -> ResponseReturnValue:
    """A person takes over from the ladder and says why."""
    return _with_reason("close_escalation", ref, Action.CLOSE_LADDER, escalation.close)


@bp.route("/<ref>/reopen-escalation", methods=["GET", "POST"])
def reopen_escalation(ref: str) -> ResponseReturnValue:
    """An escalation that was closed calls people again."""
    return _with_reason("reopen_escalation", ref, Action.REOPEN_LADDER, ladder_holds.reopen)


def _with_reason(
    template: str, ref: str, action: Action, verb: Callable[..., object]
) -> ResponseReturnValue:
    form = ReasonForm()

    def act() -> None:
        reason = form.reason.data or ""
        verb(web.db(), web.actor(), ref, reason, web.now(), version=form.seen)

    return _act(template, ref, form, action, act)


def _act(
    template: str, ref: str, form: VersionForm, action: Action, act: Callable[[], object]
) -> ResponseReturnValue:
    """The form's page, or what it asks for. The ladder is read when the page is made."""
    order, ladder = seen_order(ref), partial(_ladder, ref)
    if posted():
        return send(template, order, form, act, action, ladder_now=ladder)
    open_to(order, action)
    form.version.data = str(order.version)
    return page(template, order, form, ladder_now=ladder)


def _ladder(ref: str) -> LadderView:
    return ladder_of(web.db(), seen_order(ref))


def _rungs(ahead: list[StepView]) -> list[tuple[str, str]]:
    called, found = set(), []
    for rung in ahead:
        again = rung.step.whom in called and rung.step.whom is not Whom.NAMED
        called.add(rung.step.whom)
        found.append(option(str(rung.step.number), rung_words(rung, again=again)))
    return found


def rung_words(rung: StepView, *, again: bool = False) -> str:
    """``SPOC on duty: Anna Mkrtchyan, planned for 23 Nov 2026, 12:30 UTC``."""
    names = words.listing(contact.name for contact in rung.people) or "nobody registered"
    whom = rung.step.whom.label + (", again" if again else "")
    return f"{whom}: {names}, planned for {utc(rung.due_at)} UTC"
