"""The register's authorities: the list, an entry, and keeping it."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from liaison import web
from liaison.domain.permissions import Verb, demand, may
from liaison.models import Authority
from liaison.portal import entry_forms, first_administrators, kept
from liaison.portal.entry_forms import AuthorityForm
from liaison.portal.register_words import language
from liaison.queries import authority_pages as queries
from liaison.services import authorities as verbs
from liaison.services import organisations

bp = Blueprint("authorities", __name__, url_prefix="/authorities")


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads the register without signing in."""


@bp.context_processor
def helpers() -> dict[str, object]:
    """What the templates of authorities ask for."""
    if not web.is_signed_in():
        return {}  # a page that says so asks for none of them
    return {
        "may_keep": may(web.actor().roles, Verb.MANAGE_REGISTER),
        "language": language,
    }


@bp.get("")
def index() -> ResponseReturnValue:
    """All authorities."""
    rows = queries.authorities(web.db(), web.actor())
    return render_template("authorities/index.html", rows=rows)


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """Registers an authority."""
    demand(web.actor(), Verb.MANAGE_REGISTER)
    form = AuthorityForm()

    def write() -> str:
        data = entry_forms.data_of(form)
        made = verbs.register_authority(web.db(), web.actor(), data, web.now())
        return url_for("authorities.show", authority_id=made.id)

    return entry_forms.send("authorities/form.html", form, write, str, row=None)


@bp.get("/<uuid:authority_id>")
def show(authority_id: UUID) -> ResponseReturnValue:
    """Everything that is registered about an authority."""
    row = queries.authority(web.db(), web.actor(), authority_id)
    return render_template(
        "authorities/show.html",
        row=row,
        has_administrator=organisations.has_keeper(web.db(), row),
        may_change=verbs.may_change(web.db(), web.actor(), row),
    )


@bp.route("/<uuid:authority_id>/edit", methods=["GET", "POST"])
def edit(authority_id: UUID) -> ResponseReturnValue:
    """Changes an authority's entry."""
    demand(web.actor(), Verb.MANAGE_REGISTER)
    row = queries.authority(web.db(), web.actor(), authority_id)
    verbs.demand_own(web.db(), web.actor(), row)
    form = AuthorityForm()
    if request.method == "GET" and kept.words() is None:
        opened = entry_forms.typed(verbs.entry_of(row), verbs.version(row))
        form = AuthorityForm(formdata=None, data=opened)
    # The code stands in the names of orders: it is shown, and no longer typed.
    form.code.data = row.code

    def write() -> str:
        verbs.change_authority(
            web.db(),
            web.actor(),
            authority_id,
            entry_forms.data_of(form),
            form.version.data or "",
            web.now(),
            reason=form.reason.data or "",
            base_url=web.settings().base_url,
        )
        return url_for("authorities.show", authority_id=authority_id)

    def newest() -> str:
        return verbs.version(queries.authority(web.db(), web.actor(), authority_id))

    return entry_forms.send("authorities/form.html", form, write, newest, row=row)


@bp.route("/<uuid:authority_id>/first-administrator", methods=["GET", "POST"])
def first_administrator(authority_id: UUID) -> ResponseReturnValue:
    """Invites the first administrator of an authority that has none."""
    back = url_for("authorities.show", authority_id=authority_id)
    return first_administrators.page(Authority, authority_id, back)
