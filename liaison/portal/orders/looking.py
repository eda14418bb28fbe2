"""Who else looks at an order or a draft: what the page's script tells, and what it is told."""

from __future__ import annotations

from uuid import UUID

from flask import jsonify, request, url_for
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.models import Order, UnfinishedDraft
from liaison.portal.orders.blueprint import bp, seen_order
from liaison.queries.presence import Other, others
from liaison.services import presence, unfinished


@bp.post("/<ref>/presence")
def order_presence(ref: str) -> ResponseReturnValue:
    """A page of this order stands open; who of the reader's colleagues has one, too."""
    return _noted(seen_order(ref).id)


@bp.post("/drafts/<uuid:draft_id>/presence")
def draft_presence(draft_id: UUID) -> ResponseReturnValue:
    """The page of an unfinished draft stands open."""
    row = unfinished.find(web.db(), web.actor(), draft_id)
    return _noted(subject_of(row))


def subject_of(row: UnfinishedDraft) -> UUID:
    """Changes to an order are typed at that order."""
    return row.order_id or row.id


def _noted(subject: UUID) -> ResponseReturnValue:
    session, actor, now = web.db(), web.actor(), web.now()
    presence.here(session, actor, subject, now, writing=request.form.get("writing") == "1")
    found = others(session, actor, subject, now)
    web.commit()
    return jsonify(words=words(found))


def words(found: list[Other]) -> str:
    """“Also here: Aram Petrosyan (writing)”; empty where nobody is."""
    names = [f"{one.name} (writing)" if one.writing else one.name for one in found]
    return f"Also here: {', '.join(names)}" if names else ""


def _at_order(order: Order) -> tuple[str, str]:
    """Where the script gives its signs, and who is there as the page is made."""
    address = url_for("orders.order_presence", ref=order.name, part="live")
    return address, words(others(web.db(), web.actor(), order.id, web.now()))


def _at_draft(row: UnfinishedDraft) -> tuple[str, str]:
    address = url_for("orders.draft_presence", draft_id=row.id, part="live")
    return address, words(others(web.db(), web.actor(), subject_of(row), web.now()))


bp.context_processor(lambda: {"presence_at_order": _at_order, "presence_at_draft": _at_draft})
