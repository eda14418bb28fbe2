"""The live part of a page, which the page asks for again and again."""

from __future__ import annotations

import hashlib

from flask import Response, make_response, render_template, request

from liaison import web
from liaison.portal.frame import frame

EMERGENCY_POLL, CALM_POLL = 5, 30
"""Seconds between two looks of an open page."""


def live_page(template: str, tag: str, every: int, **values: object) -> Response:
    """The whole page, or with ``?part=live`` only what changes: 304 where nothing did.

    What changes is in ``_<template>_live.html``; the menu comes with it, for its counts.
    """
    live = request.args.get("part") == "live"
    tag = tag_of(tag, frame().faults, frame().menu) if live else tag
    if live and tag in request.if_none_match:
        response = make_response("", 304)
    else:
        args = {key: value for key, value in request.args.items() if key != "part"}
        folder, _, page = template.rpartition("/")
        name = f"{folder}/_{page}_live.html" if live else f"{template}.html"
        html = render_template(name, every=every, live_args=args, **values)
        response = make_response(html + render_template("menu_live.html") if live else html)
    if live:
        response.set_etag(tag)
        response.headers["X-Poll-Interval"] = str(every)
    return response


def tag_of(*parts: object) -> str:
    """The ETag of a live part: another one as soon as anything in it is."""
    # The minute is part of it: "2 min ago" grows old though nothing happened.
    minute = int(web.now().timestamp()) // 60
    return hashlib.sha256(repr((minute, *parts)).encode()).hexdigest()[:32]
