"""Swagger UI's files, served from the installed package; none is kept in this repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import flask_openapi3_swagger
from flask import Response, send_file

from liaison.errors import NotFound

_FOLDER = Path(flask_openapi3_swagger.__file__).parent / "templates" / "swagger"

ASSETS: Mapping[str, Path] = MappingProxyType(
    {
        "swagger-ui.css": _FOLDER / "css" / "swagger-ui.css",
        "swagger-ui-bundle.js": _FOLDER / "js" / "swagger-ui-bundle.js",
    }
)
"""All that "Try it" loads of it; what is not named here is not served."""

DAY = 24 * 60 * 60


def asset(name: str) -> Response:
    """One of the files; a browser may keep it for a day."""
    if name not in ASSETS:
        raise NotFound
    return send_file(ASSETS[name], max_age=DAY, conditional=True)
