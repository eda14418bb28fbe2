"""The floor of a poll: a bare Flask view with one indexed read, for gunicorn with our settings."""

from __future__ import annotations

import os

from flask import Flask, Response, jsonify, request
from sqlalchemy import text

from liaison.models import Database

HEAD = text("SELECT seq FROM stream WHERE id = :stream")
PAGE = text("SELECT * FROM entry WHERE stream = :stream AND seq > :after ORDER BY seq LIMIT 100")

app = Flask("floor")
_engine = Database(os.environ["LIAISON_DATABASE_URL"]).engine


@app.get("/head")
def head() -> Response:
    """Where a stream ends."""
    with _engine.connect() as connection:
        found = connection.execute(HEAD, {"stream": request.args["stream"]}).scalar_one()
    return jsonify(found)


@app.get("/page")
def page() -> Response:
    """A hundred of its entries."""
    asked = {"stream": request.args["stream"], "after": int(request.args["after"])}
    with _engine.connect() as connection:
        rows = connection.execute(PAGE, asked).all()
    return jsonify([row._asdict() for row in rows])
