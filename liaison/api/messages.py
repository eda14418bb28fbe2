"""The thread from a provider's program: a question or an answer, and the files beside it."""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime

from flask import Response, request
from sqlalchemy.orm import Session

from liaison import scanning
from liaison.api import access, acts, models
from liaison.api.blueprint import ANSWERS, ORDERS, Responses, api, problems
from liaison.api.models import AttachmentPath, OrderPath
from liaison.api.order_shapes import OrderView
from liaison.api.reading import identifier, reads
from liaison.domain import attachments, thread_limits
from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action, decide
from liaison.errors import FieldError, Invalid
from liaison.models import Order
from liaison.queries import attachments as files
from liaison.queries.orders import find
from liaison.services import thread
from liaison.web import core, settings
from liaison.web.files import handed_out

LARGEST = attachments.TOGETHER * 4 // 3 + 1024 * 1024
"""Bytes of a body: as much as files may have together, in base64, and the message."""

_BYTES: Responses = {
    200: {
        "description": "The file, to be saved.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in attachments.ENDINGS
        },
    },
    **problems(404),
}


@api.before_request
def _room_for_files() -> None:
    """After the key was found to be good: only then may anybody send so much."""
    if request.endpoint == "api.write_message":
        request.max_content_length = LARGEST


@api.post(
    "/orders/<order>/messages",
    operation_id="writeMessage",
    summary="Ask or answer",
    description=(
        "Writes into the order's thread, which both sides read. A question is owed an answer by "
        "the time in `answer_by`; it may stop the order's clock (`clock_stopped_since`), where the "
        "memorandum says so. Say `question: false` for an answer or a remark. Up to "
        f"{attachments.MOST} files may go with it: {attachments.TAKEN}; each at most "
        f"{attachments.LARGEST // attachments.MB} MB, "
        f"{attachments.TOGETHER // attachments.MB} MB together. One side writes at most "
        f"{thread_limits.HOURLY} messages to an order within an hour, {thread_limits.MOST} in all, "
        f"with {thread_limits.BYTES // attachments.MB} MB of files."
    )
    + acts.REPEATS,
    tags=[ANSWERS],
    security=[{"key": ["respond"]}],
    responses={200: OrderView, **problems(400, 404, 409, 412, 413, 415)},
)
@reads
def write_message(path: OrderPath, body: models.MessageBody) -> Response:
    """A message in the thread."""
    # Before the files are looked at: a repeat must not depend on the scanner of the day.
    if again := acts.repeated(path.order):
        return again
    with core().database.reading() as session:
        # Before anything is looked at: whoever may not write here sends no file to the scanner.
        found = find(session, access.actor(), path.order)
        decide(found.state, Action.ASK, access.actor().roles)
    accepted = _accepted(body)

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        asked = body.question is not False
        thread.ask(session, actor, path.order, body.text, at, files=accepted, question=asked)
        return find(session, actor, path.order)

    return acts.act(path.order, verb)


def _accepted(body: models.MessageBody) -> tuple[attachments.Accepted, ...]:
    if not body.attachments:
        return ()
    with scanning.turn():
        accepted = attachments.accept(_decoded(body))
        scanning.scan(settings().scan_command, [file.content for file in accepted])
    return accepted


def _decoded(body: models.MessageBody) -> list[attachments.Upload]:
    uploads, faults = [], []
    for number, file in enumerate(body.attachments or ()):
        try:
            uploads.append(attachments.Upload(file.name, b64decode(file.content, validate=True)))
        except ValueError:
            detail = "Give the file in base64 (RFC 4648, section 4), on one line."
            faults.append(FieldError(f"/attachments/{number}/content", detail))
    if faults:
        raise Invalid(faults)
    return uploads


@api.get(
    "/orders/<order>/attachments/<attachment>",
    operation_id="getAttachment",
    summary="Fetch a file of the thread",
    description="The bytes as they were sent; compare them with `sha256` of the thread.",
    tags=[ORDERS],
    security=[{"key": ["read"]}],
    responses=_BYTES,
)
@reads
def attachment(path: AttachmentPath) -> Response:
    """A file of the thread."""
    with core().database.reading() as session:
        return handed_out(
            files.find(session, access.actor(), path.order, identifier(path.attachment))
        )
