"""Writing to a counterpart: the letter is shown as it will be sent, then sent with one click."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.documents.letters import Letter, compose
from liaison.domain.request import LetterKind, missing
from liaison.domain.vocabulary import PartyGround
from liaison.errors import Invalid, InvalidTransition, Stale
from liaison.models import CounterpartRequest, RequestLetter
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.portal.requests.blueprint import bp, handled
from liaison.portal.requests.form import CloseForm, LetterForm, MissingForm, RefusalForm
from liaison.queries import requests as queries
from liaison.services import request_letters as verbs
from liaison.services import requests
from liaison.services.request_letters import Prepared

Chosen = Mapping[str, Any]
NOTHING: Chosen = {}

LOOK = "look"
"""The button that shows the letter as chosen; nothing is sent."""


@bp.route("/<uuid:request_id>/receipt", methods=["GET", "POST"])
def receipt(request_id: UUID) -> ResponseReturnValue:
    """Confirms that the request arrived."""
    return _letter(request_id, LetterKind.RECEIPT, LetterForm(), verbs.confirm_receipt)


@bp.route("/<uuid:request_id>/progress", methods=["GET", "POST"])
def progress(request_id: UUID) -> ResponseReturnValue:
    """Reports where the orders stand."""
    return _letter(request_id, LetterKind.PROGRESS, LetterForm(), verbs.report_progress)


@bp.route("/<uuid:request_id>/result", methods=["GET", "POST"])
def result(request_id: UUID) -> ResponseReturnValue:
    """Reports the result, and closes the request."""
    return _letter(request_id, LetterKind.RESULT, LetterForm(), verbs.report_result)


@bp.route("/<uuid:request_id>/missing", methods=["GET", "POST"])
def ask_missing(request_id: UUID) -> ResponseReturnValue:
    """Asks for what is missing: all of it, unless less is chosen."""
    row = handled(request_id)
    form = MissingForm()
    lacks = missing(row, web.now())
    known = {letter for letter, _ in lacks}
    form.offer(known)
    if request.method == "GET":
        form.items.data = sorted(known)

    def send(db: Any, actor: Any, row_id: UUID, shown: str, now: Any) -> RequestLetter:
        return verbs.ask_for_missing(db, actor, row_id, form.items.data or [], shown, now)

    chosen = {"items": form.items.data or []}
    return _letter(request_id, LetterKind.MISSING, form, send, chosen, {"lacks": lacks})


@bp.route("/<uuid:request_id>/refuse", methods=["GET", "POST"])
def refuse(request_id: UUID) -> ResponseReturnValue:
    """Refuses on a ground between Parties: chosen first, then looked at, then sent."""
    handled(request_id)
    form = RefusalForm()

    def send(db: Any, actor: Any, row_id: UUID, shown: str, now: Any) -> RequestLetter:
        grounds, explanation = form.grounds.data or [], form.explanation.data or ""
        return verbs.refuse(db, actor, row_id, grounds, explanation, shown, now)

    chosen = {"grounds": form.grounds.data or []}
    explain = {ground.value: ground.explanation for ground in PartyGround}
    return _letter(request_id, LetterKind.REFUSAL, form, send, chosen, {"explain": explain})


@bp.route("/<uuid:request_id>/close", methods=["GET", "POST"])
def close(request_id: UUID) -> ResponseReturnValue:
    """Closes a request of which there is no result to report."""
    row = handled(request_id)
    form = CloseForm()
    if request.method == "GET":
        form.version.data = form.version.data or str(row.version)
        return _close_page(row, form)
    seen = form.version.data or ""
    version = int(seen) if re.fullmatch(r"[0-9]{1,9}", seen) else -1
    try:
        requests.close(
            web.db(), web.actor(), request_id, form.reason.data or "", version, web.now()
        )
    except Invalid as error:
        web.db().rollback()
        return _close_page(handled(request_id), form, error=error)
    except (Stale, InvalidTransition) as error:
        web.db().rollback()
        row = handled(request_id)
        form.version.data = str(row.version)
        return _close_page(row, form, stood=error)
    web.commit()
    return redirect(url_for("requests.show", request_id=request_id), 303)


def _close_page(
    row: CounterpartRequest,
    form: CloseForm,
    *,
    error: Invalid | None = None,
    stood: Stale | InvalidTransition | None = None,
) -> ResponseReturnValue:
    faults = pointers.show(form, error.errors) if error else []
    html = render_template("requests/close.html", row=row, form=form, faults=faults, stood=stood)
    return html, 422 if error else stood.status if stood else 200


def _letter(
    request_id: UUID,
    kind: LetterKind,
    form: PortalForm,
    verb: Callable[..., RequestLetter],
    chosen: Chosen = NOTHING,
    more: Chosen = NOTHING,
) -> ResponseReturnValue:
    """The letter's page; once sent from there, the act, or the letter again and why not."""
    row = handled(request_id)
    if request.method == "GET" or request.form.get("act") == LOOK:
        looks = request.method == "POST"
        return _page(row, kind, form, chosen, quiet=not looks, more=more)
    try:
        verb(web.db(), web.actor(), request_id, form["shown"].data or "", web.now())
    except Invalid as error:
        web.db().rollback()
        return _page(handled(request_id), kind, form, chosen, error=error, more=more)
    except (Stale, InvalidTransition) as error:
        web.db().rollback()
        row = handled(request_id)
        # A double click is no conflict with anybody.
        if not queries.just_sent(web.db(), web.actor(), row, kind, web.now()):
            return _page(row, kind, form, chosen, stood=error, more=more)
    web.commit()
    return redirect(url_for("requests.show", request_id=request_id), 303)


def _page(
    row: CounterpartRequest,
    kind: LetterKind,
    form: PortalForm,
    chosen: Chosen,
    *,
    error: Invalid | None = None,
    stood: Stale | InvalidTransition | None = None,
    quiet: bool = False,
    more: Chosen = NOTHING,
) -> ResponseReturnValue:
    """``quiet``: the page is opened; what is not chosen yet is no fault."""
    prepared: Prepared | None = None
    try:
        prepared = _prepared(row, kind, form, chosen)
    except Invalid as fault:
        error = error or (None if quiet else fault)
    except (Stale, InvalidTransition) as fault:
        stood = stood or fault
    faults = pointers.show(form, error.errors) if error else []
    form["shown"].data = prepared.shown if prepared else ""
    html = render_template(
        f"requests/{kind.value}.html",
        row=row,
        kind=kind,
        form=form,
        faults=faults,
        stood=stood,
        prepared=prepared,
        letter=_composed(prepared) if prepared else None,
        **more,
    )
    return html, 422 if error else stood.status if stood else 200


def _prepared(
    row: CounterpartRequest,
    kind: LetterKind,
    form: PortalForm,
    chosen: Chosen,
) -> Prepared:
    if kind is not LetterKind.PROGRESS:
        requests.demand_open(row)
    if kind is LetterKind.REFUSAL:
        requests.nothing_under_way(web.db(), row)
        if request.method == "POST" and chosen["grounds"]:
            verbs.check_explanation(form["explanation"].data or "")
    return verbs.prepare(web.db(), row, kind, web.now(), **chosen)


def _composed(prepared: Prepared) -> Letter:
    settings = web.settings()
    return compose(prepared.letter, prepared.params, settings.base_url, settings.env.value)
