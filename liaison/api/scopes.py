"""Which scope a call needs: what its route declares as ``security``, read once at the start."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, current_app, request
from flask_openapi3 import APIBlueprint

WORDS: Mapping[str, str] = {
    "read": "read your stream, your orders and their files",
    "draft": "draft, change, submit and discard orders (a contact point's)",
    "respond": "answer orders and write into their threads",
    "webhooks": "see, make, change, try and remove your webhooks, and send their events again",
}
"""What each scope allows; a key has one or more of them."""

_KEPT = "liaison_scopes"


def init_app(app: Flask, api: APIBlueprint) -> None:
    """Notes the scope of each call; a route that declares none needs no key."""
    found: dict[tuple[str, str], str] = {}
    for rule in app.url_map.iter_rules():
        path = api.paths.get(rule.rule.replace("<", "{").replace(">", "}"))
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"} if path else ():
            operation = getattr(path, method.lower())
            for need in operation.security or ():
                (found[rule.endpoint, method],) = need["key"]
    app.extensions[_KEPT] = found


def needed() -> str:
    """The scope that the call of this request needs."""
    method = "GET" if request.method == "HEAD" else request.method
    known: Mapping[tuple[str, str], str] = current_app.extensions[_KEPT]
    return known[request.endpoint or "", method]
