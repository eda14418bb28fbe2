"""The blueprint of the order pages, and what each of its views begins and ends with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from werkzeug.local import LocalProxy
from wtforms import Form

from liaison import web
from liaison.domain.doubt import VOUCHERS, is_late
from liaison.domain.lifecycle import Action, OrderState, allowed, decide
from liaison.domain.reading import unstorable
from liaison.domain.vocabulary import DataCategory, Ground, Instrument
from liaison.errors import FieldError, Invalid, InvalidTransition, NotFound, Stale
from liaison.models import Order
from liaison.portal.orders import answered, moments, pointers, words
from liaison.portal.orders.answer_forms import MessageForm, QuestionForm
from liaison.portal.orders.deadline import clock_word, clocks_meanwhile, deadline
from liaison.portal.orders.draft_form import DraftForm
from liaison.portal.orders.keeping_panel import keeping_of
from liaison.portal.orders.page import lasting
from liaison.queries import orders, programs, timeline
from liaison.queries.doubting import open_doubt
from liaison.queries.ladder import NOTHING_CLIMBS

bp = Blueprint("orders", __name__, url_prefix="/orders")


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody sees an order without signing in."""


@bp.before_request
def storable() -> None:
    """No database keeps a NUL; nobody types one, so a page that names the field is enough."""
    texts = [("", str(value)) for value in (request.view_args or {}).values()]
    texts += [(name, text) for name, given in request.values.lists() for text in given]
    bad = [name for name, text in texts if unstorable(text)]
    if "" in bad:
        raise NotFound
    if bad:
        detail = "Remove the NUL character or broken character from this text."
        raise Invalid([FieldError(f"/{name.replace('-', '/')}", detail) for name in bad])


@bp.context_processor
def helpers() -> dict[str, object]:
    """What the templates of orders ask for.

    Nothing here is looked up before a template asks: an error's page must not need the database.
    """
    return {
        "anchor_of": lambda pointer: pointers.anchor_of(DraftForm(formdata=None), pointer),
        "can_draft": lambda: Action.EDIT in allowed(OrderState.DRAFT, web.actor().roles),
        "category_label": partial(words.label, DataCategory),
        "clock_of": lambda order: deadline(order, NOTHING_CLIMBS, web.now()),
        "clock_word": clock_word,
        "clocks_meanwhile": lambda order: clocks_meanwhile(order, web.now()),
        "composer": composer,
        "duration": lambda seconds: timedelta(seconds=seconds),
        "answered_of": answered.answered,
        "changed_words": answered.changed_words,
        "found_in": answered.found_in,
        "linked_of": answered.linked,
        "partly_of": answered.partly_of,
        "risks_of": answered.risks_of,
        "worse_first": answered.worse_first,
        "doubt_is_late": is_late,
        "doubt_of": open_doubt,
        "ground_label": partial(words.label, Ground),
        "keeping_of": keeping_of,
        "instrument_label": partial(words.label, Instrument),
        "lasting": lasting,
        "programs_of": lambda order: programs.wrote(web.db(), order),
        "typed": moments.as_typed,
        "unfolded": pointers.unfolded,
        "viewer": LocalProxy(web.actor),
        "vouchers": VOUCHERS,
    }


def composer() -> Form:
    """The empty form by which the person writes into a thread."""
    return (QuestionForm if web.actor().is_provider else MessageForm)(formdata=None)


LAST_ENTRIES = 3
"""How many entries tell whoever was overtaken what happened."""


def seen_order(ref: str) -> Order:
    """The order, where the person may see it."""
    return orders.find(web.db(), web.actor(), ref)


def order_to(ref: str, *actions: Action) -> Order:
    """The order, where one of these acts is open to the person; else the refusal, said early."""
    order = seen_order(ref)
    open_to(order, *actions)
    return order


def open_to(order: Order, *actions: Action) -> None:
    """Refuses unless one of these acts is open to the person."""
    if not allowed_to(order).intersection(actions):
        decide(order.state, actions[-1], web.actor().roles)


def allowed_to(order: Order) -> frozenset[Action]:
    """What the person who is signed in may do to the order as it stands."""
    return allowed(order.state, web.actor().roles)


def to_order(order: Order) -> ResponseReturnValue:
    """Back to the order's page, after an act."""
    return redirect(url_for("orders.show", ref=order.name), 303)


def page(
    template: str, order: Order, form: Form, error: Invalid | None = None, **more: object
) -> ResponseReturnValue:
    """A form's page; with an error its faults stand beside the fields and above them."""
    faults = [] if error is None else pointers.show(form, error.errors)
    html = render_template(f"orders/{template}.html", order=order, form=form, faults=faults, **more)
    return html, 200 if error is None else 422


def send(
    template: str,
    order: Order,
    form: Form,
    verb: Callable[[], object],
    *actions: Action,
    **more: object,
) -> ResponseReturnValue:
    """Does what a form asks for; else its page again with all that was typed, and why."""
    try:
        open_to(order, *actions)
        if faults := pointers.own_faults(form):
            raise Invalid(faults)
        verb()
    except Invalid as error:
        web.db().rollback()
        return page(template, order, form, error, **more)
    except (Stale, InvalidTransition) as error:
        web.db().rollback()
        if was_sent_twice(order.name, *actions):
            return to_order(order)
        return _overtaken(template, seen_order(order.name), form, error, **more)
    web.commit()
    return to_order(order)


ONCE = {
    Action.SUBMIT: "order.submitted",
    Action.AUTHORISE: "order.issued",
    Action.RETURN: "order.returned",
    Action.RATIFY: "order.ratified",
    Action.ISSUE: "order.issued",
    Action.ACKNOWLEDGE: "order.acknowledged",
    Action.WITHDRAW: "order.withdrawn",
    Action.ASK_EXTENSION: "order.extension_requested",
    Action.EXTEND: "order.extended",
    Action.RECORD_MLA: "order.mla_recorded",
    Action.RELEASE: "order.released",
    Action.DISPOSE: "order.disposed",
    Action.DOUBT: "order.doubted",
    Action.PAUSE_LADDER: "order.ladder_paused",
    Action.RESUME_LADDER: "order.ladder_resumed",
    Action.REOPEN_LADDER: "order.ladder_reopened",
    Action.VOUCH: "order.vouched",
}
"""Acts with nothing in them that a second sending could change."""


def was_sent_twice(ref: str, *actions: Action) -> bool:
    """Whether the person has just done this: a double click is no conflict with anybody."""
    order, actor = seen_order(ref), web.actor()
    return any(
        timeline.just_done(web.db(), actor, order, ONCE[action], web.now())
        for action in actions
        if action in ONCE
    )


def _overtaken(
    template: str, order: Order, form: Form, error: Stale | InvalidTransition, **more: object
) -> ResponseReturnValue:
    """What was typed, over the order as it stands now: sent again, it is meant for that one."""
    if "version" in form:
        form["version"].data = str(order.version)
    happened = timeline.for_order(web.db(), web.actor(), order)[:LAST_ENTRIES]
    news = [(item, words.tell(item)) for item in happened]
    html = render_template(
        f"orders/{template}.html",
        order=order,
        form=form,
        faults=[],
        overtaken=error.detail,
        news=news,
        **more,
    )
    return html, error.status


def posted() -> bool:
    """Whether the form was sent."""
    return request.method == "POST"


def needed(pointer: str, detail: str) -> Invalid:
    """One field that must be filled in before a verb can be called at all."""
    return Invalid([FieldError(pointer, detail)])
