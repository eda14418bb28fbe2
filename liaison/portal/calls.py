"""Whom the contact point has to call: every open call on one page."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, Response
from flask_login import login_required

from liaison import web
from liaison.domain.vocabulary import Urgency
from liaison.models import CallTask
from liaison.portal.live import CALM_POLL, EMERGENCY_POLL, live_page, tag_of
from liaison.portal.register_words import language
from liaison.queries import call_warnings, calls
from liaison.queries.call_warnings import Doubt, Hold, Wrong

bp = Blueprint("calls", __name__, url_prefix="/calls")


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads whom we call without signing in."""


@bp.get("")
def index() -> Response:
    """The emergency that has waited longest first; one click leads to the call."""
    session, actor = web.db(), web.actor()
    found = calls.open_calls(session, actor)
    wrong = call_warnings.wrong_numbers(session, actor, found.rows)
    doubts = call_warnings.doubts(found.rows, web.now())
    holds = call_warnings.holds(session, found.rows, web.now())
    before = calls.called_before(session, found.rows)
    burning = any(task.order.urgency is Urgency.EMERGENCY for task in found.rows)
    lines = [_line(task, wrong, doubts, holds) for task in found.rows]
    return live_page(
        "calls/index",
        tag_of(actor.id, found.more, lines, sorted(before)),
        EMERGENCY_POLL if burning else CALM_POLL,
        calls=found,
        called_before=before,
        wrong=wrong,
        doubts=doubts,
        holds=holds,
        zone_of=calls.zone_of,
        language=language,
    )


def _line(
    task: CallTask,
    wrong: Mapping[UUID, Wrong],
    doubts: Mapping[UUID, Doubt],
    holds: Mapping[UUID, Hold],
) -> tuple[object, ...]:
    """What a row of the list shows, as far as it can change."""
    told = wrong.get(task.id)
    said = (told.contact.id, told.at, told.by) if told else None
    beside = (said, doubts.get(task.id), holds.get(task.id))
    return task.id, task.phone, task.why, task.order.version, beside
