"""Orders that a disabled person had a hand in, each to be looked at by another."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types

from liaison import web
from liaison.errors import Invalid
from liaison.models import OrderReview
from liaison.portal import kept
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers, words
from liaison.queries import timeline
from liaison.services import reviews

bp = Blueprint("reviews", __name__, url_prefix="/reviews")

_STANDS = SelectChoice(reviews.CONFIRMED, "It stands: I have looked at it and answer for it")
_GOES = SelectChoice(reviews.WITHDRAWN, "Withdraw it; the provider is told, with the reason below")
_DISCARDED = SelectChoice(reviews.WITHDRAWN, "Discard it: it was never sent")
_SEEN = SelectChoice(reviews.CONFIRMED, "Seen: it has ended already")


class ReviewForm(PortalForm):
    """What becomes of the order."""

    decision = RadioField("The order", choices=[_STANDS, _GOES], validate_choice=False)
    reason = TextAreaField("What you have looked at, or why it goes", render_kw={"rows": 3})


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reviews without signing in."""


@bp.get("")
def index() -> ResponseReturnValue:
    """What waits for a decision."""
    return render_template("reviews/index.html", waiting=reviews.waiting(web.db(), web.actor()))


@bp.get("/<uuid:review_id>")
def show(review_id: UUID) -> ResponseReturnValue:
    """The order, what the person did to it, and the decision to take."""
    review = reviews.find(web.db(), web.actor(), review_id)
    return _page(review, ReviewForm())


@bp.post("/<uuid:review_id>")
def decide(review_id: UUID) -> ResponseReturnValue:
    """Takes the decision."""
    form = ReviewForm()
    chosen, reason = form.decision.data or "", form.reason.data or ""
    try:
        reviews.decide(web.db(), web.actor(), review_id, chosen, reason, web.now())
    except Invalid as error:
        web.db().rollback()
        review = reviews.find(web.db(), web.actor(), review_id)
        return _page(review, form, error)
    web.commit()
    return redirect(url_for("reviews.index"), 303)


def _page(
    review: OrderReview, form: ReviewForm, error: Invalid | None = None
) -> ResponseReturnValue:
    if review.order.state not in reviews.OPEN:
        form.decision.choices = [_SEEN]
    elif review.order.state not in reviews.RUNNING:
        form.decision.choices = [_STANDS, _DISCARDED]
    if request.method == "GET" and form.decision.data not in (reviews.CONFIRMED, reviews.WITHDRAWN):
        form.decision.data = None  # nobody confirms by leaving things as they are
    faults = [] if error is None else pointers.show(form, error.errors)
    actor = web.actor()
    by = f"person:{review.person_id}"
    acts = timeline.for_order(web.db(), actor, review.order)
    html = render_template(
        "reviews/show.html",
        review=review,
        order=review.order,
        form=form,
        faults=faults,
        acts=[(item, words.tell(item)) for item in acts if item.entry.actor == by],
        own=actor.person_id == review.person_id,
        kept_words=kept.words,
    )
    return html, 200 if error is None else 422
