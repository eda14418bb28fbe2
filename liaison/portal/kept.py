"""The form that every page's form derives from: it opens with what was kept for its reader."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_wtf import FlaskForm
from flask_wtf.form import _Auto
from werkzeug.datastructures import MultiDict

from liaison.services.kept_forms import Why
from liaison.web import kept

WORDS = {
    Why.SIGNED_OUT: "You were signed out; this is what you had typed. Nothing was sent.",
    Why.FACTOR: "Your code counts now; this is what you had typed. Nothing was sent yet.",
    Why.OVERTAKEN: "Somebody else saved a newer version; this is yours. It is not saved.",
}
"""What a page says above a form that it opens again."""


class PortalForm(FlaskForm):  # type: ignore[misc] # flask_wtf has no types
    """Reads what was sent; on a page with ``?kept=`` it opens with what had been typed."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        """Where a form takes its fields from."""

        def wrap_formdata(self, form: FlaskForm, formdata: Any) -> Any:
            """What was sent; on a GET what was kept for the reader, if anything."""
            if formdata is _Auto and request.method == "GET":
                found = kept.found()
                return MultiDict(found.fields) if found is not None else None
            return super().wrap_formdata(form, formdata)


def words() -> str | None:
    """What is said above the form; None where the page opens as it always does."""
    found = kept.found()
    return WORDS[found.why] if found is not None else None
