"""The files of a form that was not taken: held, shown beside the form, and sent again with it.

A browser fills no file into a page that is shown again. So what was chosen is kept, sealed, for
its person and its page, and a box beside the field sends it as if it had been chosen anew: no
view knows the difference.
"""

from __future__ import annotations

from io import BytesIO
from uuid import UUID

from flask import Flask, Response, g, request
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage, ImmutableMultiDict

from liaison.services import kept_files
from liaison.services.kept_files import Held
from liaison.web import context, signin

KEPT = "-kept"
"""``<field>-kept=ID``: a file that was kept for this field is sent with the form."""


def init_app(app: Flask) -> None:
    """Brings kept files back into what was sent, and forgets them once the form was taken."""
    app.jinja_env.globals["held_files"] = held_files

    @app.before_request
    def _bring_back() -> None:
        # Only a form with files is read here: the endpoint reads its bodies itself.
        if not request.path.startswith("/api/") and request.mimetype == "multipart/form-data":
            bring_back(_ticked())

    @app.after_request
    def _forget(response: Response) -> Response:
        brought: list[Held] = g.get("brought_files", [])
        taken = response.status_code == 303 and "keeps_form" not in g
        visitor = signin.visitor() if brought and taken else None
        if visitor is not None:
            kept_files.drop(context.db(), [held.id for held in brought], visitor.person.id)
            context.commit()
        return response


def bring_back(ids: list[UUID]) -> None:
    """Puts files that were kept behind those that are sent now."""
    visitor = signin.visitor() if ids else None
    if visitor is None or visitor.is_pending:
        return
    found = kept_files.take(
        context.db(), context.vault(), ids, visitor.person.id, request.path, context.now()
    )
    g.brought_files = found
    if not found:
        return
    sent = list(request.files.items(multi=True))
    chosen = [(field, file) for field, file in sent if file.filename]
    # A field in which nothing was chosen comes too, without a name: behind what was kept for it.
    empty = [(field, file) for field, file in sent if not file.filename]
    back = [(one.field, FileStorage(BytesIO(one.content), one.name, one.field)) for one in found]
    request.__dict__["files"] = ImmutableMultiDict([*chosen, *back, *empty])


def used(field: str) -> None:
    """What was sent in this field has been read into the page: it does not wait for another try."""
    g.used_files = {*g.get("used_files", ()), field}


def keep_sent(session: Session, person_id: UUID) -> None:
    """Keeps the files of the form that cannot be taken now, beside its fields.

    Those that waited already wait on; ``person_id`` is whose session it was.
    """
    brought = {(held.field, held.name) for held in g.get("brought_files", [])}
    for field, file in request.files.items(multi=True):
        if file.filename and (field, file.filename) not in brought:
            _keep(session, person_id, field, file)


def held_files(field: str, hold: bool) -> list[Held]:
    """What waits for a field of the page that is shown: kept before, or sent with this form.

    ``hold``: what was sent is kept; not where the file itself is at fault.
    """
    visitor = signin.visitor()
    if visitor is None or visitor.is_pending:
        return []
    person = visitor.person.id
    if request.method == "GET":
        if "kept" not in request.args:
            return []
        db, vault = context.db(), context.vault()
        return kept_files.listed(db, vault, person, request.path, field, context.now())
    hold = hold and field not in g.get("used_files", ())
    return _held_now(person, field) if hold else []


def _held_now(person_id: UUID, field: str) -> list[Held]:
    brought = [held for held in g.get("brought_files", []) if held.field == field]
    known = {held.name for held in brought}
    new = [f for f in request.files.getlist(field) if f.filename and f.filename not in known]
    if not new:
        return brought
    # The request's own session: nothing is pending in it once a form is shown again, and a second
    # one would wait for it on SQLite.
    db = context.db()
    kept = [_keep(db, person_id, field, file) for file in new]
    db.commit()
    return brought + [held for held in kept if held is not None]


def _keep(session: Session, person_id: UUID, field: str, file: FileStorage) -> Held | None:
    file.seek(0)
    return kept_files.keep(
        session,
        context.vault(),
        person_id,
        request.path,
        field,
        file.filename or "",
        file.read(),
        context.now(),
    )


def _ticked() -> list[UUID]:
    ids = []
    for name, texts in request.form.lists():
        for text in texts if name.endswith(KEPT) else ():
            try:
                ids.append(UUID(text))
            except ValueError:
                continue
    return ids[:50]
