"""Handing a draft to people: they authorise it, or return it with a note."""

from __future__ import annotations

from datetime import datetime

from flask import Response
from sqlalchemy.orm import Session

from liaison.api.acts import REPEATS
from liaison.api.authority.acting import act
from liaison.api.authority.shapes import AuthorityOrderView, Submission
from liaison.api.blueprint import AUTHORITY, api, problems
from liaison.api.models import OrderPath
from liaison.api.reading import reads
from liaison.domain.actors import Actor
from liaison.models import Order
from liaison.services import authorising


@api.post(
    "/authority/orders/<order>/submission",
    operation_id="submitDraft",
    summary="Submit a draft",
    description=(
        "Hands the draft to your contact point's people: the duty officer and the supervisor are "
        "told, an emergency's too. Whoever authorises it is in charge of it, and whoever made this "
        "key cannot. Outside the memorandum's terms it is refused, with the terms named. "
        "`order.returned` in your stream brings it back with a note." + REPEATS
    ),
    tags=[AUTHORITY],
    security=[{"key": ["draft"]}],
    responses={200: AuthorityOrderView, **problems(400, 404, 409, 412, 413, 415)},
)
@reads
def submit_draft(path: OrderPath, body: Submission) -> Response:
    """A draft for authorisation."""

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        return authorising.submit(
            session, actor, path.order, None, at, written_by=body.written_by or ()
        )

    return act(path.order, verb)
