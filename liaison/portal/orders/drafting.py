"""Writing a draft: a new one, or one that is there. Nobody outside hears of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from liaison import web
from liaison.domain.draft_targets import MOST_TARGETS
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import OriginKind, Status, Urgency
from liaison.errors import FieldError, Forbidden, Invalid, Stale
from liaison.models import Authority, Order, PartyRule, Provider
from liaison.portal import limits
from liaison.portal.orders import draft_data, finding, moments, pointers
from liaison.portal.orders.answer_forms import UNREAD
from liaison.portal.orders.blueprint import bp, order_to
from liaison.portal.orders.draft_form import DraftForm, option
from liaison.queries import party_rules, registry
from liaison.services import orders as verbs

_ROWS = {"target": "targets", "basis": "legal_basis", "previous": "previous"}

SHOW_RULE = "show-rule"
"""The button that shows what the asking Party's law says; nothing typed changes."""

_MOST = {
    "target": ("/targets", MOST_TARGETS, f"An order has at most {MOST_TARGETS} targets."),
    "basis": ("/legal_basis", limits.MOST_BASES, f"Name at most {limits.MOST_BASES} bases."),
    "previous": (
        "/origin/previous",
        limits.MOST_PREVIOUS,
        f"Name at most {limits.MOST_PREVIOUS} earlier requests.",
    ),
}
"""Where rows stand, how many there can be, and what is said of one more."""


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """A new draft; ``?urgency=emergency`` chooses that beforehand."""
    decide(OrderState.DRAFT, Action.EDIT, web.actor().roles)
    asked = request.args.get("urgency")
    urgency = Urgency(asked) if asked in set(Urgency) else Urgency.ROUTINE
    usual = _usual(urgency)
    if request.method == "GET":
        return _page(DraftForm(data=usual), usual)
    form = _sent()
    try:
        if rebuilt := _rows_changed(form, request.form.get("act", "")):
            return _page(rebuilt, usual)
        if _only_shows(request.form.get("act", "")):
            return _page(form, usual)
        order = verbs.draft(web.db(), web.actor(), _json(form), web.now())
    except Invalid as error:
        web.db().rollback()
        return _page(form, usual, error=error)
    web.commit()
    return redirect(url_for("orders.issue", ref=order.name), 303)


@bp.route("/<ref>/edit", methods=["GET", "POST"])
def edit(ref: str) -> ResponseReturnValue:
    """A draft written anew. Whoever was overtaken keeps what they typed and reads why."""
    order = order_to(ref, Action.EDIT)
    usual = _usual(order.urgency)
    if request.method == "GET":
        return _page(DraftForm(data=draft_data.of_order(order)), usual, order)
    form = _sent()
    version = draft_data.number(form.version.data or "")
    try:
        if rebuilt := _rows_changed(form, request.form.get("act", "")):
            return _page(rebuilt, usual, order)
        if _only_shows(request.form.get("act", "")):
            return _page(form, usual, order)
        seen = version if isinstance(version, int) else UNREAD
        verbs.edit(web.db(), web.actor(), ref, _json(form), seen, web.now())
    except Invalid as error:
        web.db().rollback()
        return _page(form, usual, order, error=error)
    except Stale as error:
        web.db().rollback()
        return _stale(form, usual, order_to(ref, Action.EDIT), error)
    web.commit()
    return redirect(url_for("orders.issue", ref=order.name), 303)


def _stale(
    form: DraftForm, usual: dict[str, Any], order: Order, error: Stale
) -> ResponseReturnValue:
    """What was typed, over the newer draft: sent again, it takes that one's place."""
    form.version.data = str(order.version)
    html, _ = _page(form, usual, order, overtaken=error.detail)
    return html, error.status


def _usual(urgency: Urgency) -> dict[str, Any]:
    actor = web.actor()
    return draft_data.prefilled(_authority(), actor.name, web.now(), urgency)


def _authority() -> Authority:
    authority = web.db().get(Authority, web.actor().authority_id)
    if authority is None:
        raise Forbidden("Only a contact point drafts orders.")
    return authority


def _json(form: DraftForm) -> dict[str, Any]:
    return draft_data.to_json(form.data, _default_days(form.provider.data or ""))


def _default_days(name: str) -> int:
    """What the memorandum with the chosen provider says; 90 days where there is none."""
    provider = registry.provider_named(web.db(), name) if name else None
    found = provider and registry.memorandum_in_force(
        web.db(), _authority().id, provider.id, web.now().date()
    )
    return terms_from_json(found.terms).default_days if found else draft_data.DAYS_WITHOUT_TERM


def _sent() -> DraftForm:
    """The form that was sent; no row is built beyond those an order can have."""
    for pointer, most, detail in _MOST.values():
        limits.rows(pointer, most, detail)
    return DraftForm()


def _only_shows(act: str) -> bool:
    """Whether the button shows something beside the form, and nothing is written."""
    if act == SHOW_RULE:
        _demand_party()
    return act in (SHOW_RULE, finding.FIND) or act.startswith(finding.CHOOSE)


def _demand_party() -> None:
    """``Invalid`` where the button is pressed and no Party is named whose rule could be shown."""
    origin = DraftForm().origin.form
    faults = []
    if origin.kind.data != OriginKind.FOREIGN.value:
        faults.append(
            FieldError("/origin/kind", "Choose “Foreign” first: a rule is the asking Party’s.")
        )
    elif len((origin.party.data or "").strip()) != 2:
        faults.append(FieldError("/origin/party", "Give the Party’s code, two letters, like RO."))
    if faults:
        raise Invalid(faults)


def _rows_changed(form: DraftForm, act: str) -> DraftForm | None:
    """The form with one row more or less, nothing typed lost; None for any other button."""
    found = re.fullmatch(r"(add|remove)-(target|basis|previous)(?:-(\d{1,4}))?", act)
    if found is None:
        return None
    data = {name: value for name, value in form.data.items() if name != "csrf_token"}
    holder = data["origin"] if found[2] == "previous" else data
    rows = holder[_ROWS[found[2]]]
    pointer, most, detail = _MOST[found[2]]
    if found[1] == "add":
        if len(rows) >= most:
            raise Invalid([FieldError(pointer, detail)])
        rows.append(draft_data.new_target(web.now()) if found[2] == "target" else {})
    elif found[3] and int(found[3]) < len(rows) and len(rows) > 1:
        del rows[int(found[3])]
    return DraftForm(formdata=None, data=data)


def _page(
    form: DraftForm,
    usual: dict[str, Any],
    order: Order | None = None,
    *,
    error: Invalid | None = None,
    overtaken: str = "",
) -> tuple[str, int]:
    proposed = finding.found(form, request.form.get("act", ""))
    providers = web.db().scalars(
        select(Provider.name).where(Provider.status == Status.ACTIVE).order_by(Provider.name)
    )
    form.provider.choices = [
        option("", "Choose the provider"),
        *(option(name, name) for name in providers),
    ]
    form.set_zones(_authority().time_zone)
    faults = pointers.show(form, _in_form_words(form, error.errors)) if error else []
    html = render_template(
        "orders/draft.html",
        form=form,
        order=order,
        faults=faults,
        overtaken=overtaken,
        usual=usual,
        unfolded=pointers.unfolded,
        usual_target=draft_data.new_target(web.now()),
        rules=_rules(form),
        proposed=proposed,
    )
    return html, 422 if error else 200


def _rules(form: DraftForm) -> list[PartyRule]:
    """What the law of the Party that asks says, as help beside the form."""
    origin = form.origin.form
    party = (origin.party.data or "").strip()
    if origin.kind.data != OriginKind.FOREIGN.value or len(party) != 2:
        return []
    return party_rules.for_country(web.db(), party)


def _in_form_words(form: DraftForm, errors: list[FieldError]) -> Iterator[FieldError]:
    """Moments are typed differently in a form than in a file: the hint must say how."""
    for error in errors:
        detail = error.detail
        if found := re.fullmatch(r"/targets/(\d+)/(from|to)", error.pointer):
            row = form.targets.entries[int(found[1])].data
            name = "start" if found[2] == "from" else "end"
            detail = _moment_fault(row[name], row[f"{name}_zone"]) or detail
        yield FieldError(error.pointer, detail)


def _moment_fault(text: str | None, zone: str | None) -> str | None:
    if not text or not text.strip():
        return None
    try:
        moments.to_rfc3339(text, zone or "UTC")
    except ValueError as fault:
        return str(fault)
    return None
