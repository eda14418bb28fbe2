"""The portal's log for auditors: as pages, and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from urllib.parse import urlencode

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import login_required

from liaison import web
from liaison.clock import rfc3339
from liaison.documents import csv_file
from liaison.domain.reading import unstorable
from liaison.portal.log_words import FACTORS, sentence
from liaison.queries import portal_log
from liaison.queries.portal_log import Group, Line, Sought

bp = Blueprint("portal_log", __name__)

COLUMNS = (
    "at",
    "entry",
    "type",
    "what",
    "who",
    "organisation",
    "about",
    "address",
    "factor",
    "hash",
)


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads the log without signing in."""


@bp.get("/portal-log")
def index() -> ResponseReturnValue:
    """A page of entries, newest first; the address keeps what was looked for."""
    sought, faults = _sought()
    page = portal_log.page(web.db(), web.actor(), sought)
    kept = _kept(sought)
    return render_template(
        "portal_log/list.html",
        page=page,
        sought=sought,
        faults=faults,
        groups=list(Group),
        sentence=sentence,
        factors=FACTORS,
        older=f"?{urlencode({**kept, 'before': page.older})}" if page.older else None,
        newest=f"?{urlencode(kept)}" if sought.before else None,
        file=f"?{urlencode(kept)}",
    )


@bp.get("/portal-log.csv")
def export() -> ResponseReturnValue:
    """The same entries as a file, all of them."""
    sought, _ = _sought()
    found = portal_log.everything(web.db(), web.actor(), sought)
    # Read before the answer begins: afterwards the request's session is gone.
    text = "".join(csv_file.lines(_rows(found)))
    response = Response(f"\ufeff{text}", mimetype="text/csv")
    day = web.now().date().isoformat()
    response.headers["Content-Disposition"] = f'attachment; filename="portal-log-{day}.csv"'
    return response


def _rows(found: Iterator[Line]) -> Iterator[tuple[str, ...]]:
    yield COLUMNS
    for line in found:
        yield (
            rfc3339(line.at),
            str(line.seq),
            line.type,
            sentence(line),
            line.who,
            line.organisation,
            line.subject,
            line.address,
            line.factor,
            line.hash,
        )


def _sought() -> tuple[Sought, list[str]]:
    """What the address asks for; what cannot be meant is left out, and said."""
    args, faults = request.args, []
    person = args.get("person", "").strip()[:200]
    if unstorable(person):
        person = ""
        faults.append("The name holds characters that no name has.")
    group = next((g for g in Group if g.value == args.get("group")), None)
    days: dict[str, date | None] = {}
    for name, words in (("since", "first"), ("until", "last")):
        text = args.get(name, "").strip()
        try:
            days[name] = date.fromisoformat(text) if text else None
        except ValueError:
            days[name] = None
            faults.append(f"The {words} day is no date; write it like 2026-11-23.")
    before = args.get("before", "")
    place = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None
    return Sought(person, group, days["since"], days["until"], place), faults


def _kept(sought: Sought) -> dict[str, str]:
    found = {
        "person": sought.person,
        "group": sought.group.value if sought.group else "",
        "since": sought.since.isoformat() if sought.since else "",
        "until": sought.until.isoformat() if sought.until else "",
    }
    return {name: text for name, text in found.items() if text}
