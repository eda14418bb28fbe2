"""Two versions of a memorandum side by side: what changed first, then what did not."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.terms import terms_from_json
from liaison.domain.terms_words import Change, Names, unchanged
from liaison.domain.terms_words import compare as differences
from liaison.domain.vocabulary import MemorandumState
from liaison.errors import NotFound
from liaison.models import Memorandum
from liaison.portal.filters import day
from liaison.portal.memoranda import shown as words
from liaison.portal.memoranda.blueprint import bp
from liaison.portal.register_words import language
from liaison.queries import memoranda as queries


@bp.get("/memoranda/<uuid:memorandum_id>/compare")
def compare(memorandum_id: UUID) -> ResponseReturnValue:
    """``?with=`` names the other version; without it the one before, or the one in force."""
    shown = queries.find(web.db(), web.actor(), memorandum_id)
    versions = queries.versions(web.db(), web.actor(), shown)
    other = _other(shown, versions, request.args.get("with"))
    changes: list[Change] = []
    same = []
    if other is not None:
        before, after = terms_from_json(other.terms), terms_from_json(shown.terms)
        names = _names(shown)
        changes = [*_beside_terms(other, shown), *differences(before, after, names)]
        same = unchanged(before, after, names)
    return render_template(
        "memoranda/compare.html",
        shown=shown,
        other=other,
        changes=changes,
        same=same,
        versions=[one for one in versions if one.id != shown.id],
        row=queries.row(web.db(), shown, words.today()),
        tag=words.tag,
    )


def _other(shown: Memorandum, versions: list[Memorandum], wanted: str | None) -> Memorandum | None:
    """What it is compared with: one of the same two organisations, or ``NotFound``."""
    if wanted is not None:
        found = next((one for one in versions if str(one.id) == wanted.lower()), None)
        if found is None:
            raise NotFound
        return found
    agreed = [one for one in versions if one.id != shown.id and one.state is MemorandumState.AGREED]
    before = [one for one in agreed if _age(one) < _age(shown)]
    return next(iter(before or agreed), None)


def _age(memorandum: Memorandum) -> tuple[date, int]:
    return memorandum.in_force_from, memorandum.version


def _names(shown: Memorandum) -> Names:
    """The two sides' contacts by id: nobody else's is named."""
    known = {str(c.id): c.name for c in (*shown.provider.contacts, *shown.authority.contacts)}
    if queries.hides(web.db(), web.actor(), shown):
        for c in shown.authority.contacts:
            known[str(c.id)] = words.by_function(c.function, shown.authority)
    return Names(lambda one: known.get(one, "a contact of neither side"), language)


def _beside_terms(before: Memorandum, after: Memorandum) -> list[Change]:
    """What else is signed with the terms, where it differs."""
    return [
        Change(label, old, new)
        for label, old, new in (
            ("Reference", before.reference, after.reference),
            ("In force", _dates(before), _dates(after)),
            ("Document", _document(before), _document(after)),
        )
        if old != new
    ]


def _dates(memorandum: Memorandum) -> str:
    start = f"from {day(memorandum.in_force_from)}"
    end = memorandum.in_force_to
    return f"{start} to {day(end)}" if end else f"{start}, without an agreed end"


def _document(memorandum: Memorandum) -> str:
    document = memorandum.document
    return f"SHA-256 {document.sha256}" if document else "none"
