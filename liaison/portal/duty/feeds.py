"""Calendar addresses: made and revoked here, read by calendar programs without signing in."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import StringField

from liaison import web
from liaison.documents import calendar
from liaison.documents.calendar import Entry
from liaison.domain.permissions import Verb, demand
from liaison.errors import Invalid
from liaison.portal.duty.blueprint import bp, link_base
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.services import duty_feeds as verbs

feed_bp = Blueprint("duty_feed", __name__)
"""Beside the pages: whoever has the address needs no sign-in."""


class FeedForm(PortalForm):
    """Who will read it."""

    name = StringField("For whom or what", render_kw={"autocomplete": "off"})


@bp.route("/feeds", methods=["GET", "POST"])
def feeds() -> ResponseReturnValue:
    """The organisation's calendar addresses. A new one is shown on the answer's page only."""
    demand(web.actor(), Verb.MANAGE_DUTY)
    form = FeedForm()
    if request.method == "GET":
        return _page(form)
    try:
        row, token = verbs.make_feed(web.db(), web.actor(), form.name.data or "", web.now())
    except Invalid as error:
        web.db().rollback()
        return _page(form, pointers.show(form, error.errors)), 422
    web.commit()
    address = link_base() + url_for("duty_feed.feed", token=token)
    response = make_response(render_template("duty/feed_shown.html", feed=row, address=address))
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/feeds/<uuid:feed_id>/revoke")
def revoke_feed(feed_id: UUID) -> ResponseReturnValue:
    """Closes an address at once."""
    verbs.revoke_feed(web.db(), web.actor(), feed_id, web.now())
    web.commit()
    return redirect(url_for("duty.feeds"), 303)


@feed_bp.get("/duty/feed/<token>.ics")
def feed(token: str) -> Response:
    """Duty as a calendar, under a secret address: names and hours, no phone number."""
    now = web.now()
    found = verbs.read(web.db(), token, now)
    entries = [
        Entry(c.name, c.function.label, str(c.id), shift.start, shift.end)
        for shift in found.book.timeline(found.start, found.end)
        for c in found.book.people(shift.members)
    ]
    host = urlsplit(web.settings().base_url).hostname or "liaison"
    response = Response(
        calendar.write(found.organisation, entries, now, host),
        content_type="text/calendar; charset=utf-8",
    )
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Disposition"] = 'attachment; filename="duty.ics"'
    if verbs.is_note_due(web.db(), found.id, now):
        with web.write() as session:
            verbs.note_read(session, found.id, now)
    return response


def _page(form: FeedForm, faults: list[pointers.Fault] | None = None) -> str:
    rows = verbs.feeds(web.db(), web.actor())
    return render_template("duty/feeds.html", form=form, faults=faults or [], rows=rows)
