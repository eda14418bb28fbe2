"""Where the canary by webhook comes home. Its token is its only key, and proves the whole way."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue

from liaison.errors import NotFound
from liaison.services import canaries
from liaison.web.context import core, now

bp = Blueprint("canary", __name__)


@bp.post("/canary/<token>")
def arrived(token: str) -> ResponseReturnValue:
    """Notes that it has arrived; 404 for one that was never sent.

    A stranger's guess is looked up and begins no writing transaction.
    """
    with core().database.reading() as session:
        known = canaries.is_known(session, token)
    if not known:
        raise NotFound
    with core().database.transaction() as session:
        canaries.arrived(session, token, now())
    return "", 204
