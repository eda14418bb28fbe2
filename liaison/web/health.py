"""For machines that watch: is the process up, and can it do its work?"""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from liaison.models import Heartbeat
from liaison.services import schema
from liaison.web.context import core, db, now

bp = Blueprint("health", __name__)

SILENT = timedelta(seconds=60)
"""After so long without a heartbeat no worker is at work."""


@bp.get("/healthz")
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> ResponseReturnValue:
    """Database, schema and worker; 503 where one of them fails."""
    checks = {"database": "ok", "schema": "ok", "worker": "ok"}
    try:
        db().execute(text("SELECT 1"))
        if not schema.is_current(core().database):
            checks["schema"] = "not the newest: run `liaison migrate`"
        else:
            beat = db().scalar(select(func.max(Heartbeat.at)))
            if beat is None or now() - beat > SILENT:
                checks["worker"] = "no heartbeat: is `liaison worker` running?"
    except SQLAlchemyError:
        checks = {"database": "does not answer", "schema": "unknown", "worker": "unknown"}
    ready = all(state == "ok" for state in checks.values())
    return jsonify(status="ok" if ready else "failing", checks=checks), 200 if ready else 503
