"""Memoranda as their two parties read them: the list, one in plain words, its document."""

from __future__ import annotations

from uuid import UUID

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.permissions import Verb, demand, may
from liaison.errors import NotFound
from liaison.models import Memorandum
from liaison.portal.memoranda import shown
from liaison.portal.memoranda.blueprint import bp
from liaison.queries import memoranda as queries
from liaison.queries import register_pages as pages
from liaison.services import memoranda as verbs


@bp.get("/memoranda")
def index() -> ResponseReturnValue:
    """All between one's own organisation and others, drafts first."""
    actor = web.actor()
    page = request.args.get("page", 1, type=int)
    return render_template(
        "memoranda/index.html",
        found=queries.listed(web.db(), actor, shown.today(), page),
        tag=shown.tag,
        today=shown.today(),
        agrees=may(actor.roles, Verb.AGREE_MEMORANDA),
        is_provider=actor.is_provider,
    )


@bp.get("/memoranda/<uuid:memorandum_id>")
def show(memorandum_id: UUID) -> ResponseReturnValue:
    """One in plain words, drafts too: who signed it, and what is still missing."""
    found = queries.find(web.db(), web.actor(), memorandum_id)
    return _page(found)


@bp.get("/memoranda/<uuid:memorandum_id>/document")
def document(memorandum_id: UUID) -> Response:
    """The document as a file: taken away, never shown by the browser as a page of ours."""
    demand(web.actor(), Verb.READ_REGISTER)
    found = queries.find(web.db(), web.actor(), memorandum_id)
    if found.document is None:
        raise NotFound
    answer = make_response(found.document.content)
    answer.mimetype = "application/pdf"
    name = verbs.document_name(found)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@bp.get("/providers/<provider_id>/memorandum")
def of_provider(provider_id: str) -> ResponseReturnValue:
    """The one in force with a provider; ``?id=`` shows another of the agreed ones."""
    actor = web.actor()
    found = pages.provider(web.db(), actor, provider_id)
    known = pages.memoranda(web.db(), actor, found)
    binding = next((m for m in known if pages.is_in_force(m, shown.today())), None)
    chosen = _chosen(known, request.args.get("id")) or binding
    if chosen is not None:
        return _page(chosen)
    rows = queries.rows(web.db(), known, shown.today())
    return render_template(
        "memoranda/none.html", provider=found, rows=rows, tag=shown.tag, today=shown.today()
    )


def _page(found: Memorandum) -> str:
    row = queries.row(web.db(), found, shown.today())
    return render_template("memoranda/show.html", **shown.context(row))


def _chosen(known: list[Memorandum], wanted: str | None) -> Memorandum | None:
    if wanted is None:
        return None
    try:
        wanted_id = UUID(wanted)
    except ValueError:
        raise NotFound from None
    found = next((m for m in known if m.id == wanted_id), None)
    if found is None:
        raise NotFound
    return found
