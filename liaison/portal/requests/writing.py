"""Registering a request, and completing it: little is needed, nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.draft_targets import MOST_TARGETS
from liaison.domain.permissions import Verb, demand
from liaison.domain.request import MOST_BASES, MOST_PREVIOUS
from liaison.errors import FieldError, Invalid, InvalidTransition, Stale
from liaison.models import Authority, CounterpartRequest
from liaison.portal import kept, limits
from liaison.portal.orders import moments, pointers
from liaison.portal.requests import data
from liaison.portal.requests.blueprint import bp, handled, seen
from liaison.portal.requests.form import RequestForm
from liaison.services import requests as verbs
from liaison.services.requests import RegisteredBefore

ROWS = {
    "target": ("targets", MOST_TARGETS, f"A request has at most {MOST_TARGETS} targets."),
    "previous": ("previous", MOST_PREVIOUS, f"Name at most {MOST_PREVIOUS} earlier requests."),
    "basis": ("legal_basis", MOST_BASES, f"Name at most {MOST_BASES} bases."),
}
"""What can be added and removed: where it stands, how many, and what is said of one more."""

UNREAD = -1


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """Registers a request."""
    demand(web.actor(), Verb.HANDLE_REQUESTS)
    if request.method == "GET" and kept.words() is None:
        return _page(RequestForm(formdata=None, data=data.new_form(web.now())))

    def write(form: RequestForm) -> CounterpartRequest:
        confirmed = bool(form.confirmed.data)
        given = data.to_json(form.data)
        return verbs.register(web.db(), web.actor(), given, web.now(), confirmed=confirmed)

    return _send(write)


@bp.route("/<uuid:request_id>/edit", methods=["GET", "POST"])
def edit(request_id: UUID) -> ResponseReturnValue:
    """Completes or corrects a request. Whoever was overtaken keeps what they typed."""
    row = handled(request_id)
    if request.method == "GET" and kept.words() is None:
        return _page(RequestForm(formdata=None, data=data.of_row(row)), row)

    def write(form: RequestForm) -> CounterpartRequest:
        read = form.version.data or ""
        version = int(read) if re.fullmatch(r"[0-9]{1,9}", read) else UNREAD
        given = data.to_json(form.data)
        return verbs.change(web.db(), web.actor(), request_id, given, version, web.now())

    return _send(write, row)


def _send(
    verb: Callable[[RequestForm], CounterpartRequest], row: CounterpartRequest | None = None
) -> ResponseReturnValue:
    """The form as it was sent: a row more or less, or the act, or why it was not done."""
    if request.method == "GET":
        return _page(RequestForm(), row)
    for name, most, detail in ROWS.values():
        limits.rows(f"/{name}", most, detail)
    form = RequestForm()
    request_id = row.id if row is not None else None
    try:
        if rebuilt := _rows_changed(form, request.form.get("act", "")):
            return _page(rebuilt, row)
        written = verb(form)
    except Invalid as error:
        web.db().rollback()
        return _page(form, _again(request_id), error=error)
    except RegisteredBefore as error:
        web.db().rollback()
        return _page(form, stood=error, known=[seen(known) for known in error.known])
    except (Stale, InvalidTransition) as error:
        web.db().rollback()
        newer = _again(request_id)
        if newer is not None and isinstance(error, Stale):
            form.version.data = str(newer.version)
        return _page(form, newer, stood=error)
    web.commit()
    return redirect(url_for("requests.show", request_id=written.id), 303)


def _again(request_id: UUID | None) -> CounterpartRequest | None:
    return handled(request_id) if request_id is not None else None


def _rows_changed(form: RequestForm, act: str) -> RequestForm | None:
    """The form with one row more or less, nothing typed lost; None for any other button."""
    found = re.fullmatch(r"(add|remove)-(target|basis|previous)(?:-(\d{1,4}))?", act, re.ASCII)
    if found is None:
        return None
    held = {name: value for name, value in form.data.items() if name != "csrf_token"}
    name, most, detail = ROWS[found[2]]
    rows = held[name]
    if found[1] == "add":
        if len(rows) >= most:
            raise Invalid([FieldError(f"/{name}", detail)])
        rows.append(data.new_target() if found[2] == "target" else {})
    elif found[3] and int(found[3]) < len(rows) and len(rows) > 1:
        del rows[int(found[3])]
    return RequestForm(formdata=None, data=held)


def _page(
    form: RequestForm,
    row: CounterpartRequest | None = None,
    *,
    error: Invalid | None = None,
    stood: Stale | InvalidTransition | None = None,
    known: list[CounterpartRequest] | None = None,
) -> ResponseReturnValue:
    authority = web.db().get_one(Authority, web.actor().authority_id)
    form.set_zones(authority.time_zone)
    faults = pointers.show(form, _in_form_words(form, error.errors)) if error else []
    html = render_template(
        "requests/form.html",
        form=form,
        row=row,
        faults=faults,
        stood=stood,
        known=known or [],
        usual=data.new_form(web.now()),
        usual_target=data.new_target(),
    )
    return html, 422 if error else stood.status if stood else 200


def _in_form_words(form: RequestForm, errors: list[FieldError]) -> Iterator[FieldError]:
    """Faults with the rows counted as the form has them, and moments as they are typed there."""
    for error in errors:
        pointer, detail = error.pointer, error.detail
        found = re.fullmatch(r"/(targets|previous|legal_basis)/(\d+)(/.*)?", pointer)
        if found:
            place = data.places(form.data, found[1])[int(found[2])]
            pointer = f"/{found[1]}/{place}{found[3] or ''}"
        if pointer == "/received_at" and detail.startswith("Enter date"):
            detail = moments.HOW
        yield FieldError(pointer, detail)
