"""``/api/docs``: the reference as plain pages, made from the OpenAPI document."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup, escape

from liaison.api.docs import assets
from liaison.api.docs.calls import TYPES, Call, calls, slug, written
from liaison.api.docs.entries import ALWAYS, DATA
from liaison.api.docs.schemas import fields, parameter
from liaison.api.specification import spec
from liaison.domain.stream_events import PING, STREAM_EVENTS
from liaison.errors import NotFound
from liaison.web import settings

bp = Blueprint("api_docs", __name__)


@bp.get("/api/docs")
def docs() -> ResponseReturnValue:
    """What there is, and what every call shares."""
    document = spec(settings().base_url)
    schemas = document["components"]["schemas"]
    return _page(
        "api/index.html",
        document,
        problem=fields(schemas, schemas["Problem"]),
        problem_example=written(_problem()),
        types=TYPES,
    )


@bp.get("/api/docs/<group>")
def group(group: str) -> ResponseReturnValue:
    """The calls of one group."""
    document = spec(settings().base_url)
    tags = {slug(tag["name"]): tag for tag in document["tags"]}
    if group not in tags:
        raise NotFound("The reference has no such page. All of them: /api/docs")
    return _page("api/group.html", document, group=group, tag=tags[group])


@bp.get("/api/docs/entries")
def entries() -> ResponseReturnValue:
    """The types of entry in a provider's stream, and what a webhook is sent of each."""
    document = spec(settings().base_url)
    schemas, knock = document["components"]["schemas"], document["webhooks"]["order.issued"]["post"]
    return _page(
        "api/entries.html",
        document,
        types=STREAM_EVENTS,
        always=ALWAYS,
        data=DATA,
        headers=[parameter(schemas, header) for header in knock["parameters"]],
        body=fields(schemas, schemas["WebhookBody"]),
        example=written(knock["requestBody"]["content"]["application/json"]["example"]),
        ping=PING,
    )


@bp.get("/api/docs/start")
def start() -> ResponseReturnValue:
    """From nothing to the first acknowledgement, on the reader's own machine."""
    return _page("api/start.html", spec(settings().base_url))


@bp.get("/api/docs/try")
def try_it() -> ResponseReturnValue:
    """Swagger UI: the one page of the reference that needs JavaScript."""
    return _page("api/try.html", spec(settings().base_url))


@bp.get("/api/docs/assets/<name>")
def asset(name: str) -> ResponseReturnValue:
    """A file of Swagger UI."""
    return assets.asset(name)


def _page(template: str, document: dict[str, Any], **more: Any) -> str:
    groups: dict[str, list[Call]] = {slug(tag["name"]): [] for tag in document["tags"]}
    found = calls(document)
    for call in found:
        groups[call.group].append(call)
    return render_template(
        template,
        **more,
        document=document,
        groups=groups,
        names={slug(tag["name"]): tag["name"] for tag in document["tags"]},
        by_id={call.id: call for call in found},
        base_url=settings().base_url,
        coded=coded,
    )


def coded(text: str) -> Markup:
    """A text of the document; what stands between backticks is code, a problem type a link."""
    parts = re.split(r"`([^`]*)`", text)
    return Markup("").join(
        _code(part) if number % 2 else escape(part) for number, part in enumerate(parts)
    )


_SLUGS = frozenset(kind for kinds in TYPES.values() for kind in kinds)


def _code(part: str) -> Markup:
    code = Markup("<code>{}</code>").format(part)
    return Markup('<a href="/problems/{}">{}</a>').format(part, code) if part in _SLUGS else code


def _problem() -> dict[str, Any]:
    return {
        "type": f"{settings().base_url}/problems/validation",
        "title": "The input is not valid",
        "status": 422,
        "detail": "There is a problem with 1 field.",
        "instance": "urn:liaison:request:019abc00000070008000000000000001",
        "errors": [{"pointer": "/days", "detail": "Give a whole number."}],
    }
