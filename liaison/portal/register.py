"""The register's providers: the list, an entry, and keeping it."""

from __future__ import annotations

from datetime import UTC
from uuid import UUID

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from liaison import web
from liaison.domain.permissions import Verb, demand, may
from liaison.models import Provider
from liaison.portal import entry_forms, first_administrators, kept
from liaison.portal.entry_forms import ProviderForm
from liaison.portal.register_words import language
from liaison.queries import provider_list, watching
from liaison.queries import register_pages as pages
from liaison.services import organisations
from liaison.services import providers as verbs

bp = Blueprint("register", __name__)


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads the register without signing in."""


@bp.context_processor
def helpers() -> dict[str, object]:
    """What the templates of providers ask for."""
    if not web.is_signed_in():
        return {}  # a page that says so asks for none of them
    return {
        "may_keep": may(web.actor().roles, Verb.MANAGE_REGISTER),
        "reads_authorities": web.actor().is_contact_point,
    }


@bp.get("/providers")
def providers() -> ResponseReturnValue:
    """All providers, and who has a memorandum in force."""
    text = request.args.get("q", "")[:200]
    page = request.args.get("page", 1, type=int)
    today = web.now().astimezone(UTC).date()
    found = provider_list.find(web.db(), web.actor(), today, text, page)
    return render_template("register/providers.html", found=found, text=text)


@bp.route("/providers/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """Registers a provider."""
    demand(web.actor(), Verb.MANAGE_REGISTER)
    form = ProviderForm()

    def write() -> str:
        data = entry_forms.data_of(form)
        made = verbs.register_provider(web.db(), web.actor(), data, web.now())
        return url_for("register.provider", provider_id=made.id)

    return entry_forms.send("register/provider_form.html", form, write, str, row=None)


@bp.get("/providers/<provider_id>")
def provider(provider_id: str) -> ResponseReturnValue:
    """Everything that is registered about a provider."""
    found = pages.provider(web.db(), web.actor(), provider_id)
    return render_template(
        "register/provider.html",
        provider=found,
        memoranda=pages.memoranda(web.db(), web.actor(), found),
        today=web.now().astimezone(UTC).date(),
        in_force=pages.is_in_force,
        language=language,
        silent=watching.silent_of(web.db(), found.id, web.now())
        if web.actor().is_contact_point
        else [],
        has_administrator=organisations.has_keeper(web.db(), found),
    )


@bp.route("/providers/<uuid:provider_id>/edit", methods=["GET", "POST"])
def edit(provider_id: UUID) -> ResponseReturnValue:
    """Changes a provider's entry."""
    demand(web.actor(), Verb.MANAGE_REGISTER)
    row = pages.provider(web.db(), web.actor(), str(provider_id))
    form = ProviderForm()
    if request.method == "GET" and kept.words() is None:
        opened = entry_forms.typed(verbs.entry_of(row), verbs.version(row))
        form = ProviderForm(formdata=None, data=opened)
    here = url_for("register.provider", provider_id=provider_id)

    def write() -> str:
        verbs.change_provider(
            web.db(),
            web.actor(),
            provider_id,
            entry_forms.data_of(form),
            form.version.data or "",
            web.now(),
            reason=form.reason.data or "",
            base_url=web.settings().base_url,
        )
        return here

    def newest() -> str:
        return verbs.version(pages.provider(web.db(), web.actor(), str(provider_id)))

    return entry_forms.send("register/provider_form.html", form, write, newest, row=row)


@bp.route("/providers/<uuid:provider_id>/first-administrator", methods=["GET", "POST"])
def first_administrator(provider_id: UUID) -> ResponseReturnValue:
    """Invites the first administrator of a provider that has none."""
    back = url_for("register.provider", provider_id=provider_id)
    return first_administrators.page(Provider, provider_id, back)
