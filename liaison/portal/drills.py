"""Drills: those to come, running and past; planning one; and the scorecard of a provider."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types

from liaison import web
from liaison.domain.drills import is_night
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.scorecard import Figures, Share
from liaison.domain.vocabulary import DrillState, Urgency
from liaison.errors import FieldError, Invalid
from liaison.models import Provider
from liaison.portal import kept
from liaison.portal.drill_drawing import bars
from liaison.portal.frame import frame
from liaison.portal.kept import PortalForm
from liaison.portal.orders import moments, pointers
from liaison.portal.register_words import whom
from liaison.queries import drills as queries
from liaison.queries import register_pages as pages
from liaison.queries import scorecard as cards
from liaison.services import drills as verbs
from liaison.services.organisations import AlreadyDone

bp = Blueprint("drills", __name__)

NOW, LATER = "now", "later"


class DrillForm(PortalForm):
    """With whom, when and how."""

    provider = SelectField("Provider", validate_choice=False)
    urgency = RadioField(
        "Urgency",
        choices=[SelectChoice(u.value, u.label) for u in reversed(Urgency)],
        default=Urgency.EMERGENCY.value,
        validate_choice=False,
    )
    when = RadioField(
        "When it begins",
        choices=[SelectChoice(LATER, "At a time of your choice"), SelectChoice(NOW, "At once")],
        default=LATER,
        validate_choice=False,
    )
    planned_at = StringField("Date and time", description="Like 2026-11-23 03:10.")
    zone = SelectField("Time zone", validate_choice=False)
    announced = BooleanField("Tell the provider 24 hours before")


class ReasonForm(PortalForm):
    """Why a drill is taken back."""

    reason = TextAreaField("Reason", render_kw={"rows": 3})


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads of drills without signing in."""


@bp.context_processor
def helpers() -> dict[str, object]:
    """What the templates of drills ask for."""
    if not web.is_signed_in():
        return {}  # a page that says so asks for none of them
    return {
        "may_plan": may(web.actor().roles, Verb.PLAN_DRILLS),
        "may_read": may(web.actor().roles, Verb.READ_ORDERS),
        "is_provider": web.actor().is_provider,
        "own_provider": web.actor().provider_id,
        "kept_words": kept.words,
        "is_night": is_night,
        "whom": whom,
    }


@bp.get("/drills")
def index() -> ResponseReturnValue:
    """What is to come, what runs, what was."""
    return render_template("drills/index.html", found=queries.lists(web.db(), web.actor()))


@bp.route("/drills/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """Plans a drill."""
    providers = queries.partners(web.db(), web.actor())
    form = DrillForm()
    _offer(form, providers)

    def write() -> None:
        verbs.open_to(web.actor(), web.now())
        wish = _wish(form, providers)
        verbs.plan(web.db(), web.actor(), wish, web.now())

    return _send("new", form, write)


@bp.route("/drills/<uuid:drill_id>/cancel", methods=["GET", "POST"])
def cancel(drill_id: UUID) -> ResponseReturnValue:
    """Takes a drill back; one that runs is broken off."""
    demand(web.actor(), Verb.PLAN_DRILLS)
    drill = queries.find(web.db(), web.actor(), drill_id)
    form = ReasonForm()
    if request.method == "GET" and drill.state not in (DrillState.PLANNED, DrillState.RUNNING):
        raise AlreadyDone(f"This drill is {drill.state.label.lower()}: nothing is left to cancel.")

    def write() -> None:
        verbs.cancel(web.db(), web.actor(), drill_id, form.reason.data or "", web.now())

    return _send("cancel", form, write, drill=drill)


@bp.get("/providers/<provider_id>/scorecard")
def scorecard(provider_id: str) -> ResponseReturnValue:
    """How a provider answers; ``?months=`` is the period."""
    demand(web.actor(), Verb.READ_DRILLS)
    provider = pages.provider(web.db(), web.actor(), provider_id)
    months = request.args.get("months", cards.USUAL, type=int)
    if months not in cards.PERIODS:
        months = cards.USUAL
    found = cards.scorecards(web.db(), web.actor(), provider, months, web.now())
    return render_template(
        "drills/scorecard.html",
        provider=provider,
        cards=found,
        months=months,
        periods=cards.PERIODS,
        most=cards.MOST,
        bars=bars,
        share=_share,
        reached=_reached,
    )


def _offer(form: DrillForm, providers: list[Provider]) -> None:
    """The providers with a memorandum; UTC, one's own zone, and theirs."""
    form.provider.choices = [
        SelectChoice("", "Choose a provider"),
        *(SelectChoice(str(p.id), p.name) for p in providers),
    ]
    zones = dict.fromkeys(["UTC", frame().zone or "UTC", *(p.time_zone for p in providers)])
    form.zone.choices = [SelectChoice(zone, zone.replace("_", " ")) for zone in zones]
    if request.method == "GET":
        form.zone.data = form.zone.data or frame().zone or "UTC"
        form.provider.data = form.provider.data or request.args.get("provider", "")


def _wish(form: DrillForm, providers: list[Provider]) -> verbs.Wish:
    """What was typed. What cannot be read is told together with what the verb would refuse."""
    faults, readable = [], True
    chosen = next((p.id for p in providers if str(p.id) == form.provider.data), None)
    if chosen is None:
        faults.append(FieldError("/provider", "Choose with whom the drill is held."))
    if form.when.data not in (NOW, LATER):
        faults.append(FieldError("/when", "Say when the drill begins."))
    try:
        at = None if form.when.data == NOW else _typed(form)
    except (ValueError, OverflowError) as error:
        detail = str(error) if str(error) else moments.HOW
        faults.append(FieldError("/planned_at", detail))
        at, readable = None, False
    # Whether it can be told of in time is asked only of a time that can be read.
    announced = bool(form.announced.data) and readable
    wish = verbs.Wish(chosen or UUID(int=0), form.urgency.data or "", at, announced)
    if faults:
        raise Invalid([*faults, *verbs.faults(wish, web.now())])
    return wish


def _typed(form: DrillForm) -> datetime:
    text = moments.to_rfc3339(form.planned_at.data or "", form.zone.data or "")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(moments.HOW) from None


def _share(share: Share) -> str:
    """``11 of 12 (91 %)``; a dash where there is nothing to judge."""
    if share.percent is None:
        return "–"
    return f"{share.part} of {share.whole} ({share.percent} %)"


def _reached(figures: Figures, which: str) -> str:
    """Why a time is missing: nothing to judge, or too many that never answered."""
    return "not reached" if figures.judged and getattr(figures, which) is None else "–"


def _send(
    template: str, form: PortalForm, verb: Callable[[], None], **more: object
) -> ResponseReturnValue:
    """The form's page; once sent, the act, or the page again with all that was typed, and why."""
    if request.method == "GET":
        return render_template(f"drills/{template}.html", form=form, faults=[], **more)
    try:
        verb()
    except Invalid as error:
        web.db().rollback()
        faults = pointers.show(form, error.errors)
        return render_template(f"drills/{template}.html", form=form, faults=faults, **more), 422
    web.commit()
    return redirect(url_for("drills.index"), 303)
