"""For machines that watch: is the process up, and can it do its work?"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from liaison.queries import lag
from liaison.services import schema
from liaison.web.context import db, now

bp = Blueprint("health", __name__)


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
        if not schema.is_newest(db().connection()):
            checks["schema"] = "not the newest: run `liaison migrate`"
        else:
            checks["worker"] = _worker(db(), now())
    except SQLAlchemyError:
        checks = {"database": "does not answer", "schema": "unknown", "worker": "unknown"}
    ready = all(state == "ok" for state in checks.values())
    return jsonify(status="ok" if ready else "failing", checks=checks), 200 if ready else 503


def _worker(session: Session, now: datetime) -> str:
    """Whether a worker lives and keeps up; no ref is told, for anybody may ask."""
    if lag.heartbeat(session, now) is None:
        return "no heartbeat: is `liaison worker` running, and does it succeed?"
    fault = lag.lag(session, now).fault
    return f"late: {fault}" if fault else "ok"
