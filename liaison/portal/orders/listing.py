"""The queue, what it is narrowed down to, and the filters that a person keeps."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from liaison import web
from liaison.domain.actors import Actor
from liaison.domain.lifecycle import SERVED, OrderState
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.vocabulary import Urgency
from liaison.errors import Invalid
from liaison.portal import kept
from liaison.portal.kept import PortalForm
from liaison.portal.live import CALM_POLL, EMERGENCY_POLL, live_page, tag_of
from liaison.portal.orders import pointers, words
from liaison.portal.orders.blueprint import bp
from liaison.queries import queue_choices, queue_filters
from liaison.queries import saved_filters as saved
from liaison.queries.queue import COUNTED_TO, Queue, queue
from liaison.queries.queue_filters import Filters, Waiting
from liaison.queries.queue_places import Place
from liaison.queries.queue_views import COUNTED, OWN_ONLY, View
from liaison.services import saved_filters

LAST_PAGE = 10_000

MORE_VIEWS = (
    View.OPEN,
    View.US,
    View.PROVIDER,
    View.SUBMITTED,
    View.NOT_RATIFIED,
    View.DRAFTS,
    View.DISPOSAL,
    View.DRILLS,
    View.CLOSED,
    View.ALL,
)
"""The views beside those that are counted."""

_FOR_PROVIDER = {
    View.QUESTIONS: "Questions you asked",
    View.US: "Waiting for you",
    View.NOT_RATIFIED: "Not ratified yet",
    View.DISPOSAL: "Disposal to confirm",
}


class SaveForm(PortalForm):
    """The name under which a person keeps the filters of an address."""

    name = StringField("Name", render_kw={"maxlength": 80, "autocomplete": "off"})


def view_words(view: View, actor: Actor) -> str:
    """How a view is called, for who reads."""
    return _FOR_PROVIDER.get(view, view.label) if actor.is_provider else view.label


def counted(number: int) -> str:
    """A number above the queue: it is counted no further than needed."""
    return f"{COUNTED_TO - 1}+" if number >= COUNTED_TO else str(number)


@bp.get("")
def index() -> Response:
    """What needs a person first; the address says what it is narrowed down to.

    ``?view=`` and the filters (``queries/queue_filters.py``), ``?q=`` finds, ``?after=`` goes on
    behind a row, ``?page=`` counts from the beginning.
    """
    session, actor = web.db(), web.actor()
    demand(actor, Verb.READ_ORDERS)
    filters, faults = queue_filters.read(session, actor, request.args)
    number = min(max(request.args.get("page", 1, type=int), 1), LAST_PAGE)
    after = Place.read(request.args.get("after", ""))
    found = queue(session, actor, web.now(), filters=filters, page=number, after=after)
    running = found.counts[View.EMERGENCIES]
    return live_page(
        "orders/queue",
        _queue_tag(found, actor),
        EMERGENCY_POLL if running else CALM_POLL,
        queue=found,
        faults=faults,
        text=filters.text,
        counted=COUNTED,
        number_of=counted,
        views=[v for v in MORE_VIEWS if _is_for(v, actor)],
        view_words=view_words,
        all_orders=View.ALL,
        words=words,
        to=_to,
        chips=queue_filters.chips(session, filters),
        saved=saved.own(session, actor),
        may_export=may(actor.roles, Verb.EXPORT),
        **choices(actor),
    )


def choices(actor: Actor) -> dict[str, object]:
    """What the form of the filters offers."""
    states = SERVED if actor.is_provider else tuple(OrderState)
    waiting = (Waiting.US, Waiting.CONTACT_POINT if actor.is_provider else Waiting.PROVIDER)
    return {
        "states": states,
        "urgencies": tuple(Urgency),
        "waitings": waiting,
        "officers": queue_choices.officers(web.db(), actor),
    }


@bp.route("/filters", methods=["GET", "POST"])
def filters() -> ResponseReturnValue:
    """Names the filters of the address, and lists those that the person has named before."""
    session, actor = web.db(), web.actor()
    demand(actor, Verb.READ_ORDERS)
    wanted, _ = queue_filters.read(session, actor, request.args)
    form, faults, status = SaveForm(), [], 200
    if request.method == "POST":
        try:
            saved_filters.save(session, actor, form.name.data or "", wanted, web.now())
            web.commit()
            return redirect(_to(wanted), 303)
        except Invalid as error:
            session.rollback()
            faults, status = pointers.show(form, error.errors), 422
    page = render_template(
        "orders/filters.html",
        form=form,
        faults=faults,
        filters=wanted,
        chips=queue_filters.chips(session, wanted),
        view=view_words(wanted.view, actor),
        saved=saved.own(session, actor),
        here=f"{url_for('orders.filters')}?{wanted.query()}",
        back=_to(wanted),
        kept_words=kept.words,
    )
    return page, status


@bp.post("/filters/<uuid:filter_id>/delete")
def forget(filter_id: UUID) -> ResponseReturnValue:
    """Forgets a named filter."""
    saved_filters.forget(web.db(), web.actor(), filter_id)
    web.commit()
    return redirect(url_for("orders.filters"), 303)


def _is_for(view: View, actor: Actor) -> bool:
    return not (actor.is_provider and view in (*OWN_ONLY, View.PROVIDER))


def _to(filters: Filters, page: int = 1, after: Place | None = None) -> str:
    """The address of the queue with these filters."""
    args = filters.args()
    if after is not None:
        args |= {"after": str(after), "page": str(page)}
    elif page > 1:
        args["page"] = str(page)
    return f"{url_for('orders.index')}?{urlencode(args)}" if args else url_for("orders.index")


def _queue_tag(found: Queue, actor: Actor) -> str:
    rows = [
        (r.order.name, r.order.version, r.last_at, r.waiting_for, r.overdue) for r in found.rows
    ]
    place = (found.filters.query(), found.page, str(found.after), str(found.next))
    return tag_of(actor.id, place, sorted(found.counts.items()), rows)
