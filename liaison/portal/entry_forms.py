"""The forms of the register's entries. They keep no rule: ``domain.register_entry`` reads them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types

from liaison import web
from liaison.domain.register_entry import Entry, plain
from liaison.domain.vocabulary import AuthorityKind, Status, Term
from liaison.errors import FieldError, Invalid
from liaison.portal import kept
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.services.providers import EntryChanged

_OFF = {"autocomplete": "off", "spellcheck": "false"}
LISTS = ("domains", "as_numbers", "address_ranges", "phone_prefixes", "services", "languages")
"""Fields that are typed one to a line."""


def _choices(kind: type[Term]) -> list[Any]:
    return [SelectChoice(member.value, member.label) for member in kind]


def _lines(label: str, description: str, rows: int = 3) -> TextAreaField:
    return TextAreaField(
        label, description=f"One to a line. {description}", render_kw={"rows": rows, **_OFF}
    )


class EntryForm(PortalForm):
    """What the entries of providers and authorities share."""

    version = HiddenField()
    name = StringField("Name", render_kw=_OFF)
    legal_name = StringField("Legal name", render_kw=_OFF)
    status = SelectField("Status", choices=_choices(Status), validate_choice=False)
    reason = TextAreaField("Reason for another status", render_kw={"rows": 2})
    country = StringField("Country", description="Two letters, like AM.", render_kw=_OFF)
    time_zone = StringField("Time zone", description="Like Asia/Yerevan.", render_kw=_OFF)
    languages = _lines("Languages", "Codes like hy, en.")


class ProviderForm(EntryForm):
    """A provider, and everything it is found by."""

    domains = _lines(
        "Domains",
        "Its own names, like provider.example. Its people are invited at these, and an address "
        "at one of them leads to it.",
    )
    address_ranges = _lines(
        "Address ranges",
        "Networks like 198.51.100.0/24 or 2001:db8::/32, or first-last.",
        rows=6,
    )
    as_numbers = _lines("Network numbers", "Of its autonomous systems, like AS64500.")
    phone_prefixes = _lines("Phone prefixes", "Beginnings of its numbers, like +37491.")
    services = _lines("Services", "As its customers know them.")


class AuthorityForm(EntryForm):
    """An authority. Officers’ orders carry what stands here."""

    code = StringField(
        "Code",
        description="2 to 10 letters or digits, like CP. It begins the names of its orders.",
        render_kw=_OFF,
    )
    kind = SelectField("Kind", choices=_choices(AuthorityKind), validate_choice=False)
    domains = _lines("Mail domains", "Its people are invited at these.")
    phone = StringField("Phone", description="Day and night, like +37410000100.", render_kw=_OFF)
    email = StringField("E-mail", description="An institutional address.", render_kw=_OFF)
    postal_address = TextAreaField("Postal address", render_kw={"rows": 3})
    office_hours = StringField("Office hours", description="Empty: 24/7.")
    preferred_answer = StringField(
        "Preferred way of answer", description="Empty: through this portal."
    )


def typed(entry: Entry, version: str) -> dict[str, Any]:
    """What a form opens with for an entry that is there."""
    return {
        "version": version,
        **{
            name: "\n".join(map(str, value)) if isinstance(value, list) else value
            for name, value in plain(entry).items()
        },
    }


def data_of(form: EntryForm) -> dict[str, Any]:
    """The entry as it was typed, for the reader; the places in a list are the lines."""
    return {
        field.short_name: (field.data or "").splitlines()
        if field.short_name in LISTS
        else (field.data or "").strip()
        for field in form
        if field.short_name not in ("version", "reason", "csrf_token")
    }


def send(
    template: str,
    form: EntryForm,
    verb: Callable[[], str],
    newest: Callable[[], str],
    **more: object,
) -> ResponseReturnValue:
    """The form's page; once sent, the act, or the page again with all that was typed, and why.

    ``verb`` gives the address to go on to; ``newest`` the version an overtaken form is sent over.
    """
    faults: list[pointers.Fault] = []
    overtaken, status = "", 200
    if request.method == "POST":
        try:
            then = verb()
            web.commit()
            return redirect(then, 303)
        except Invalid as error:
            web.db().rollback()
            faults, status = pointers.show(form, _by_line(error.errors)), 422
        except EntryChanged as error:
            web.db().rollback()
            form.version.data = newest()
            overtaken, status = error.detail, 409
    page = render_template(
        template, form=form, faults=faults, overtaken=overtaken, kept_words=kept.words, **more
    )
    return page, status


def _by_line(errors: Iterable[FieldError]) -> Iterator[FieldError]:
    """A fault in a list names the line it stands on."""
    for error in errors:
        found = re.fullmatch(r"/(\w+)/(\d+)", error.pointer)
        if found and found[1] in LISTS:
            line = int(found[2]) + 1
            yield FieldError(error.pointer, f"Line {line}: {error.detail}")
        else:
            yield error
