"""The page on which a draft is written: a new order, one that is there, or a template."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import render_template, request
from sqlalchemy import select

from liaison import web
from liaison.domain import target_paste
from liaison.domain.draft_targets import MOST_TARGETS
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import DataCategory, OriginKind, Status, TargetType, Urgency
from liaison.errors import FieldError, Forbidden, Invalid
from liaison.models import Authority, Order, OrderTemplate, PartyRule, Provider, UnfinishedDraft
from liaison.portal import limits
from liaison.portal.orders import draft_data, finding, moments, pointers
from liaison.portal.orders.draft_form import DraftForm, TargetForm, option
from liaison.portal.orders.words import label, listing
from liaison.queries import party_rules, registry

_ROWS = {"target": "targets", "basis": "legal_basis", "previous": "previous"}

SHOW_RULE, PASTE, OPEN = "show-rule", "paste-targets", "open-target-"
"""Buttons after which the same page stands there again: the asking Party's rule, what was pasted
as targets, a folded target opened."""

FOLDED_FROM = 10
"""More targets than these, and those that are complete are listed, each to be opened."""

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


@dataclass(frozen=True)
class Place:
    """What the page writes, and what a new one begins with."""

    usual: dict[str, Any]
    order: Order | None = None
    draft: UnfinishedDraft | None = None
    template: OrderTemplate | None = None
    of_template: bool = False
    """Whether the form itself is a template's, a new one too."""

    @property
    def is_new(self) -> bool:
        """Whether a new order comes of it."""
        return self.order is None and not self.of_template


def usual(urgency: Urgency = Urgency.ROUTINE) -> dict[str, Any]:
    """A new form of the person who is signed in."""
    return draft_data.prefilled(authority(), web.actor().name, web.now(), urgency)


def authority() -> Authority:
    """Whose orders are written."""
    found = web.db().get(Authority, web.actor().authority_id)
    if found is None:
        raise Forbidden("Only a contact point drafts orders.")
    return found


def as_json(form: DraftForm, provider: str | None = None) -> dict[str, Any]:
    """The order that the form says, to the provider it names or to another one."""
    name = provider if provider is not None else form.provider.data or ""
    return draft_data.to_json(form.data, _default_days(name)) | {"provider": name}


def _default_days(name: str) -> int:
    """What the memorandum with the chosen provider says; 90 days where there is none."""
    provider = registry.provider_named(web.db(), name) if name else None
    found = provider and registry.memorandum_in_force(
        web.db(), authority().id, provider.id, web.now().date()
    )
    return terms_from_json(found.terms).default_days if found else draft_data.DAYS_WITHOUT_TERM


def sent() -> DraftForm:
    """The form that was sent; no row is built beyond those an order can have."""
    for pointer, most, detail in _MOST.values():
        limits.rows(pointer, most, detail)
    return DraftForm()


# Buttons after which the page stands there again


def shown_again(form: DraftForm, act: str) -> tuple[DraftForm, str] | None:
    """The form after a button that writes nothing, and a word about it; None for any other."""
    if changed := _rows_changed(form, act):
        return changed, ""
    if act == PASTE:
        return _pasted(form)
    if act.startswith(OPEN) or _only_shows(form, act):
        return form, ""
    return None


def _only_shows(form: DraftForm, act: str) -> bool:
    if act == SHOW_RULE:
        _demand_party(form)
    return act in (SHOW_RULE, finding.FIND) or act.startswith(finding.CHOOSE)


def _demand_party(form: DraftForm) -> None:
    """``Invalid`` where the button is pressed and no Party is named whose rule could be shown."""
    origin = form.origin.form
    faults = []
    if origin.kind.data != OriginKind.FOREIGN.value:
        faults.append(
            FieldError("/origin/kind", "Choose “Foreign” first: a rule is the asking Party’s.")
        )
    elif len((origin.party.data or "").strip()) != 2:
        faults.append(FieldError("/origin/party", "Give the Party’s code, two letters, like RO."))
    if faults:
        raise Invalid(faults)


def _data(form: DraftForm) -> dict[str, Any]:
    return {name: value for name, value in form.data.items() if name != "csrf_token"}


def _rebuilt(data: dict[str, Any]) -> DraftForm:
    return DraftForm(formdata=None, data=data)


def _rows_changed(form: DraftForm, act: str) -> DraftForm | None:
    """The form with one row more or less, nothing typed lost; None for any other button."""
    found = re.fullmatch(r"(add|remove)-(target|basis|previous)(?:-(\d{1,4}))?", act)
    if found is None:
        return None
    data = _data(form)
    holder = data["origin"] if found[2] == "previous" else data
    rows = holder[_ROWS[found[2]]]
    pointer, most, detail = _MOST[found[2]]
    if found[1] == "add":
        if len(rows) >= most:
            raise Invalid([FieldError(pointer, detail)])
        rows.append(draft_data.new_target(web.now()) if found[2] == "target" else {})
    elif found[3] and int(found[3]) < len(rows) and len(rows) > 1:
        del rows[int(found[3])]
    return _rebuilt(data)


def _pasted(form: DraftForm) -> tuple[DraftForm, str]:
    """The form with what was pasted as targets behind those that were filled in; all or nothing."""
    given = form.paste.form
    common = target_paste.Common(
        kind=given.kind.data or "",
        start=given.start.data or "",
        end=given.end.data or "",
        data=tuple(given.categories.data or ()),
        relation=given.relation.data or "",
        service=given.service.data or "",
    )
    zone = given.zone.data or "UTC"

    def moment(text: str) -> str:
        return moments.to_rfc3339(text, zone)

    found = target_paste.read(given.text.data or "", common, moment, web.now())
    data = _data(form)
    rows = [row for row in data["targets"] if _is_begun(row)]
    if len(rows) + len(found.targets) > MOST_TARGETS:
        many = f"There would be {len(rows) + len(found.targets)}: {_MOST['target'][2]}"
        raise Invalid([FieldError(target_paste.POINTER, many)])
    data["targets"] = rows + [draft_data.of_paste(target, zone) for target in found.targets]
    data["paste"] = {**data["paste"], "text": ""}
    return _rebuilt(data), _told(found)


def _is_begun(row: dict[str, Any]) -> bool:
    return any((row[name] or "").strip() for name in ("value", "start", "port", "service"))


def _told(found: target_paste.Paste) -> str:
    """What was added, by kind: a kind that was told wrongly is seen here."""
    counted = Counter(TargetType(target.type) for target in found.targets)
    kinds = listing(f"{number} × {kind.label}" for kind, number in counted.most_common())
    one = len(found.targets) == 1
    said = f"{len(found.targets)} {'target' if one else 'targets'} added: {kinds}."
    if found.repeated:
        lines = listing(str(line) for line in found.repeated[:20])
        more = len(found.repeated) - 20
        lines += f" and {more} more" if more > 0 else ""
        said += f" Left out, for they repeat a line before them: {lines}."
    return said


# The page


def show(
    form: DraftForm,
    place: Place,
    *,
    error: Invalid | None = None,
    status: int = 200,
    **more: object,
) -> tuple[str, int]:
    """The page with all that was typed. ``more`` goes on to the template: what happened."""
    act = request.form.get("act", "")
    proposed = finding.found(form, act)
    names = list(
        web.db().scalars(
            select(Provider.name).where(Provider.status == Status.ACTIVE).order_by(Provider.name)
        )
    )
    form.provider.choices = [
        option("", "Choose the provider"),
        *(option(name, name) for name in names),
    ]
    form.further.choices = [option(name, name) for name in names]
    form.set_zones(authority().time_zone)
    faults = pointers.show(form, _in_form_words(form, error.errors)) if error else []
    folded = _folded(form, act.removeprefix(OPEN) if act.startswith(OPEN) else "")
    rows = [(number, entry.form) for number, entry in enumerate(form.targets.entries)]
    html = render_template(
        "orders/draft.html",
        form=form,
        place=place,
        order=place.order,
        faults=faults,
        usual=place.usual,
        unfolded=pointers.unfolded,
        usual_target=draft_data.new_target(web.now()),
        folded_targets=[row for row in rows if row[0] in folded],
        open_targets=[row for row in rows if row[0] not in folded],
        rules=_rules(form),
        proposed=proposed,
        kind_label=partial(label, TargetType),
        category_label=partial(label, DataCategory),
        moment_shown=moments.shown,
        **more,
    )
    return html, 422 if error else status


def _folded(form: DraftForm, opened: str) -> set[int]:
    """The targets that are listed only: complete ones, where there are many."""
    if len(form.targets.entries) <= FOLDED_FROM:
        return set()
    return {
        number
        for number, entry in enumerate(form.targets.entries)
        if str(number) != opened and _is_complete(entry.form)
    }


def _is_complete(target: TargetForm) -> bool:
    needed = (target.value, target.start, target.end, target.categories, target.relation)
    return all(field.data for field in needed) and not any(field.errors for field in target)


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
