"""The end of a shift: what stands open, handed over by one person and taken by another."""

from __future__ import annotations

from itertools import groupby
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import TextAreaField

from liaison import web
from liaison.domain.lifecycle import OrderState
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.vocabulary import Role
from liaison.errors import Invalid, InvalidTransition
from liaison.models import HandOver
from liaison.portal import kept
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.queries import hand_over as query
from liaison.queries.hand_over import Why
from liaison.services import hand_overs

bp = Blueprint("hand_over", __name__, url_prefix="/hand-over")


_WHEN = {Why.CALL: "Open since", Why.AUTHORISE: "Submitted", Why.VOUCH: "Doubted since"}
"""What the moment beside an order is; of all others it is a deadline."""


def when_words(why: Why) -> str:
    """The name of the column and of the line on a card."""
    return _WHEN.get(why, "By")


class GiveForm(PortalForm):
    """What the list does not say."""

    notes = TextAreaField("What the next shift must know", render_kw={"rows": 6})


class TakeForm(PortalForm):
    """A word of whoever takes over."""

    note = TextAreaField("Your note", render_kw={"rows": 3})


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads a hand-over without signing in."""


@bp.route("", methods=["GET", "POST"])
def index() -> ResponseReturnValue:
    """What stands open now; signs the shift off; lists the hand-overs before."""
    session, actor = web.db(), web.actor()
    demand(actor, Verb.READ_HAND_OVERS)
    form, faults, refused = GiveForm(), [], ""
    if request.method == "POST":
        try:
            made = hand_overs.give(session, actor, form.notes.data or "", web.now())
            web.commit()
            return redirect(url_for("hand_over.show", hand_over_id=made.id), 303)
        except Invalid as error:
            session.rollback()
            faults = pointers.show(form, error.errors)
        except InvalidTransition as error:
            session.rollback()
            standing = query.waiting(session, actor)
            if standing is not None and standing.given_by_id == actor.person_id:
                # A double click is no conflict with anybody.
                return redirect(url_for("hand_over.show", hand_over_id=standing.id), 303)
            refused = error.detail
    html = render_template(
        "hand_over/index.html",
        desk=query.desk(session, actor, web.now()),
        waiting=query.waiting(session, actor),
        past=query.past(session, actor),
        form=form,
        faults=faults,
        refused=refused,
        may_give=may(actor.roles, Verb.HAND_OVER),
        most=query.MOST,
        kept_words=kept.words,
        when_words=when_words,
    )
    return html, 422 if faults else 409 if refused else 200


@bp.get("/<uuid:hand_over_id>")
def show(hand_over_id: UUID) -> ResponseReturnValue:
    """One hand-over as it was told; while it waits, also what has changed since."""
    return _page(query.find(web.db(), web.actor(), hand_over_id), TakeForm())


@bp.route("/<uuid:hand_over_id>/take", methods=["GET", "POST"])
def take(hand_over_id: UUID) -> ResponseReturnValue:
    """Takes the desk over."""
    session, actor = web.db(), web.actor()
    demand(actor, Verb.HAND_OVER)
    form = TakeForm()
    if request.method == "GET":
        return _page(query.find(session, actor, hand_over_id), form)
    try:
        hand_overs.take(session, actor, hand_over_id, form.note.data or "", web.now())
    except Invalid as error:
        session.rollback()
        return _page(query.find(session, actor, hand_over_id), form, error)
    except InvalidTransition:
        session.rollback()
        found = query.find(session, actor, hand_over_id)
        if found.taken_by_id != actor.person_id:
            raise
    web.commit()
    return redirect(url_for("hand_over.show", hand_over_id=hand_over_id), 303)


@bp.post("/<uuid:hand_over_id>/cancel")
def cancel(hand_over_id: UUID) -> ResponseReturnValue:
    """Calls it off, while nobody has taken it."""
    hand_overs.cancel(web.db(), web.actor(), hand_over_id, web.now())
    web.commit()
    return redirect(url_for("hand_over.index"), 303)


def _page(found: HandOver, form: TakeForm, error: Invalid | None = None) -> ResponseReturnValue:
    session, actor = web.db(), web.actor()
    waits = found.taken_at is None and found.cancelled_at is None
    current = query.desk(session, actor, web.now()) if waits else None
    own = found.given_by_id == actor.person_id
    can = waits and may(actor.roles, Verb.HAND_OVER)
    html = render_template(
        "hand_over/show.html",
        given=found,
        told=[(Why(why), list(lines)) for why, lines in groupby(found.told, lambda t: t["why"])],
        state_label=lambda value: OrderState(value).label,
        changes=query.changes(session, actor, found, current) if current else [],
        waits=waits,
        can_take=can and not own,
        can_cancel=can and (own or Role.SUPERVISOR in actor.roles),
        own=own,
        form=form,
        faults=[] if error is None else pointers.show(form, error.errors),
        kept_words=kept.words,
        when_words=when_words,
    )
    return html, 200 if error is None else 422
