"""``/demo/texts``: the telephones of the demo. What came to them, and a button that answers."""

from __future__ import annotations

from pathlib import Path
from urllib.error import URLError

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from liaison.demo.gateway import listed, opened, tell
from liaison.domain.gateway import Gateway
from liaison.errors import LiaisonError, NotFound
from liaison.web import context

bp = Blueprint("demo_texts", __name__, url_prefix="/demo/texts")


def _folder() -> Path:
    return context.settings().data_dir / "texts"


@bp.get("")
def texts() -> str:
    """Text messages and calls, newest first."""
    return render_template("demo/texts.html", texts=listed(_folder()))


@bp.post("/<name>/reply")
def reply(name: str) -> ResponseReturnValue:
    """Answers "1" from the telephone of this message, as the carrier would tell us."""
    found = opened(_folder(), name)
    if found is None:
        raise NotFound
    settings = context.settings()
    answer = {"from": found.to, "text": "1"}
    if found.channel == "voice":
        answer["id"] = found.name  # a key pressed in a call belongs to that call
    gateway = Gateway.from_url(settings.gateway_url)
    try:
        tell(gateway, f"{settings.base_url}/gateway/reply", answer, context.core().clock)
    except URLError as error:
        raise LiaisonError(f"The portal did not take the answer: {error.reason}") from None
    return redirect(url_for("demo_texts.texts"), 303)
