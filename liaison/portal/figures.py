"""Figures: what followed the preservations of the contact point, as a page and as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import login_required

from liaison import web
from liaison.documents import csv_file
from liaison.domain.figures import Group, period, periods
from liaison.domain.permissions import Verb, demand
from liaison.queries.figures import NoMla, no_mla

bp = Blueprint("figures", __name__)

BAR_WIDTH, BAR_HEIGHT = 200, 12
"""Of one bar, in the picture's own units."""

COLUMNS = ("by", "name", "preserved with an MLA request announced", "judged", "none recorded")
"""Of the file; the share is for whoever reads it to make of the two numbers."""


@dataclass(frozen=True)
class Bar:
    """One group's bar: the whole is what can be judged, of the longest group of the table."""

    whole: float
    without: float


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads figures without signing in."""


@bp.get("/figures")
def index() -> ResponseReturnValue:
    """No MLA request followed: by Party and by unit; ``?period=`` is which orders."""
    found = _figures()
    return render_template(
        "figures/index.html",
        found=found,
        periods=periods(web.now()),
        bars=bars,
        zip=zip,
        width=BAR_WIDTH,
        height=BAR_HEIGHT,
    )


@bp.get("/figures.csv")
def export() -> ResponseReturnValue:
    """The same as a file."""
    demand(web.actor(), Verb.EXPORT)
    found = _figures()
    response = Response("\ufeff" + "".join(csv_file.lines(_rows(found))), mimetype="text/csv")
    name = f"no-mla-{found.period.key}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _figures() -> NoMla:
    demand(web.actor(), Verb.READ_FIGURES)
    now = web.now()
    chosen = period(request.args.get("period", ""), now)
    return no_mla(web.db(), web.actor(), chosen, now)


def _rows(found: NoMla) -> Iterator[Sequence[str]]:
    yield COLUMNS
    for by, groups in (("all", [found.whole]), ("party", found.parties), ("unit", found.units)):
        for g in groups:
            yield (by, g.name, str(g.kept), str(g.judged), str(g.without))


def bars(groups: Sequence[Group]) -> list[Bar]:
    """A bar for each group; the longest fills the width."""
    most = max((g.judged for g in groups), default=0) or 1
    return [
        Bar(
            whole=round(BAR_WIDTH * g.judged / most, 1),
            without=round(BAR_WIDTH * g.without / most, 1),
        )
        for g in groups
    ]
