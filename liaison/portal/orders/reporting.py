"""The preservation report: all of it in two clicks, or target by target, in a table or as CSV."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, request
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.documents import targets_csv
from liaison.domain.answer import Preservation
from liaison.domain.lifecycle import Action
from liaison.domain.vocabulary import Outcome
from liaison.errors import Invalid, Stale
from liaison.models import Order
from liaison.portal import limits
from liaison.portal.orders import report_check, report_table
from liaison.portal.orders.answer_forms import PART, PreserveForm
from liaison.portal.orders.blueprint import bp, open_to, page, posted, seen_order, send
from liaison.portal.orders.report_form import known, read
from liaison.queries import reports, target_rows, timeline
from liaison.services import answers
from liaison.services.escalation import terms_of
from liaison.services.orders import note_fetched
from liaison.web import kept_files

_ACTS = (Action.PRESERVE, Action.AMEND)


@bp.route("/<ref>/preserve", methods=["GET", "POST"])
def preserve(ref: str) -> ResponseReturnValue:
    """For how long, and what was found; a second time amends the report.

    Lines that are pasted, and answers for many targets, are shown in numbers before they are sent.
    """
    order = seen_order(ref)
    if not posted():
        open_to(order, *_ACTS)
        reports.load(web.db(), order)
        return page("preserve", order, PreserveForm(data=known(order)), **_more(order))
    number = len(order.targets)
    limits.rows("/targets", number, f"The order has {number} targets. Open the page again.")
    form = PreserveForm()
    try:
        open_to(order, *_ACTS)
        table = report_table.apply(form, order, request.files, request.form.get("act", ""))
        if table is not None:
            kept_files.used("file")
        check = _check(form, order, table)
    except Invalid as error:
        web.db().rollback()
        return page("preserve", order, form, error, **_more(order))
    if check is not None:
        form.checked.data = check.digest
        return page("preserve", order, form, **_more(order, check))
    return send("preserve", order, form, partial(_act, form, ref, order), *_ACTS, **_more(order))


def _check(
    form: PreserveForm, order: Order, table: report_table.Applied | None
) -> report_check.Check | None:
    """What is shown before it is sent; None where it can be sent at once.

    Many targets, and whatever was pasted, are looked at first. What was looked at and is sent
    unchanged goes.
    """
    if form.found.data != PART or not form.validate():
        return None
    if table is None and len(order.targets) <= report_check.AT_ONCE:
        return None
    answer = read(form, order)
    digest = report_check.digest(answer)
    if table is None and form.checked.data == digest:
        return None
    longest = terms_of(order).longest_days
    return report_check.check(order, answer, digest, table, longest, web.now())


def _act(form: PreserveForm, ref: str, order: Order) -> None:
    answer = read(form, order)
    try:
        answers.preserve(web.db(), web.actor(), ref, answer, web.now(), version=form.seen)
    except Stale:
        if not _was_sent_twice(ref, answer):
            raise


def _was_sent_twice(ref: str, answer: Preservation) -> bool:
    """Whether the person has just sent the very same: a double click is no conflict."""
    order, actor, now = seen_order(ref), web.actor(), web.now()
    done = any(
        timeline.just_done(web.db(), actor, order, type_, now)
        for type_ in ("order.preserved", "order.preservation_amended")
    )
    return done and report_check.says(order, answer)


def _more(order: Order, check: report_check.Check | None = None) -> dict[str, Any]:
    return {
        "check": check,
        "longest": terms_of(order).longest_days if order.terms else "",
        "numbered": {str(t.id): (place, t) for place, t in enumerate(order.targets, 1)},
        "outcomes": list(Outcome),
    }


@bp.get("/<ref>/targets.csv")
def targets_file(ref: str) -> ResponseReturnValue:
    """The order's targets, with what was reported of them so far: to be filled in."""
    actor = web.actor()
    order = seen_order(ref)
    if actor.is_provider and order.fetched_at is None:
        with web.write() as writing:
            note_fetched(writing, actor, order.name, web.now())
        web.db().rollback()
        order = seen_order(ref)
    text = "".join(targets_csv.write(target_rows.rows(order)))
    response = Response(text, mimetype="text/csv")
    name = f"{order.name}-targets.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
