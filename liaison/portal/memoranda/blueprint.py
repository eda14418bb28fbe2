"""The blueprint that the pages of memoranda share."""

from __future__ import annotations

from flask import Blueprint
from flask_login import login_required

bp = Blueprint("memoranda", __name__)


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads the register without signing in."""
