"""``/demo/mail``: the letters that the demo's mail server took. Only in a demo, for anybody."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, render_template

from liaison.demo.letters import listed, opened
from liaison.errors import NotFound
from liaison.web import context

bp = Blueprint("demo", __name__, url_prefix="/demo")


def _folder() -> Path:
    return context.settings().data_dir / "mail"


@bp.get("/mail")
def mailbox() -> str:
    """The letters, newest first."""
    return render_template("demo/mail.html", letters=listed(_folder()))


@bp.get("/mail/<name>")
def letter(name: str) -> str:
    """One letter: its plain part, and the source of its HTML part."""
    found = opened(_folder(), name)
    if found is None:
        raise NotFound
    return render_template("demo/letter.html", letter=found)
