"""The thread of an order, its files, and the contact point's internal notes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

from flask import Response, request
from flask.typing import ResponseReturnValue

from liaison import scanning, web
from liaison.domain import attachments
from liaison.domain.lifecycle import Action
from liaison.errors import FieldError, Invalid, RateLimited
from liaison.portal.orders.answer_forms import REMARK, MessageForm, NoteForm, QuestionForm
from liaison.portal.orders.blueprint import bp, open_to, page, posted, seen_order, send
from liaison.queries.attachments import find
from liaison.services import notes, thread
from liaison.web.files import handed_out


@bp.route("/<ref>/question", methods=["GET", "POST"])
def question(ref: str) -> ResponseReturnValue:
    """The provider writes: a question that is owed an answer, or a remark."""
    order = seen_order(ref)
    form = QuestionForm()
    if not posted():
        open_to(order, Action.ASK)
        return page("message", order, form, asks=True)

    def ask() -> None:
        asked, text, files = form.kind.data != REMARK, form.text.data or "", _files()
        it = partial(thread.ask, web.db(), web.actor(), ref, text, web.now())
        _write(lambda: it(files=files, question=asked))

    return send("message", order, form, ask, Action.ASK, asks=True)


@bp.route("/<ref>/message", methods=["GET", "POST"])
def message(ref: str) -> ResponseReturnValue:
    """A message to the provider; it answers what was asked until it was begun."""
    order = seen_order(ref)
    form = MessageForm()
    if not posted():
        open_to(order, Action.ANSWER)
        form.version.data = str(order.version)
        return page("message", order, form, asks=False)

    def write() -> None:
        text, files = form.text.data or "", _files()
        it = partial(thread.answer, web.db(), web.actor(), ref, text, web.now(), form.seen)
        _write(lambda: it(files=files))

    return send("message", order, form, write, Action.ANSWER, asks=False)


def _files() -> tuple[attachments.Accepted, ...]:
    """What was chosen, looked at by its content and by the installation's scanner."""
    sent = [f for f in request.files.getlist("attachments") if f.filename or f.read(1)]
    if not sent:
        return ()
    uploads = []
    for file in sent:
        file.seek(0)
        uploads.append(attachments.Upload(file.filename or "", file.read()))
    # The scanner may take its time: nobody's transaction waits for it.
    web.db().rollback()
    try:
        with scanning.turn():
            accepted = attachments.accept(uploads)
            scanning.scan(web.settings().scan_command, [file.content for file in accepted])
    except scanning.NotScanned as failed:
        raise Invalid([FieldError("/attachments", failed.detail)]) from None
    return accepted


def _write(verb: Callable[[], object]) -> None:
    """Writes; what was typed stays on the page where it must wait."""
    try:
        verb()
    except RateLimited as refused:
        raise Invalid([FieldError("/text", refused.detail)]) from None


@bp.get("/<ref>/attachments/<uuid:attachment_id>")
def attachment(ref: str, attachment_id: UUID) -> Response:
    """A file of the thread, to be saved; for both sides."""
    return handed_out(find(web.db(), web.actor(), ref, attachment_id))


@bp.route("/<ref>/note", methods=["GET", "POST"])
def note(ref: str) -> ResponseReturnValue:
    """An internal note: the provider never sees it, nor that there is one."""
    order = seen_order(ref)
    form = NoteForm()
    if not posted():
        open_to(order, Action.NOTE)
        return page("note", order, form)

    def write() -> None:
        notes.write(web.db(), web.actor(), ref, form.text.data or "", web.now())

    return send("note", order, form, write, Action.NOTE)
