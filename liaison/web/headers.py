"""Headers of every answer, errors included: what a browser may load, show and keep."""

from __future__ import annotations

from flask import Flask, Response, request

from liaison.settings import Settings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


OURS = (
    ("Content-Security-Policy", POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
)
"""A view that says one of them itself says it more strictly: of a file that somebody sent, or of
a page whose address is a secret."""

SECURE = ("Strict-Transport-Security", "max-age=63072000; includeSubDomains")


def init_app(app: Flask, settings: Settings) -> None:
    """Adds the headers."""
    every = [*OURS, SECURE] if settings.is_secure else [*OURS]
    ours = [(name, value, name.lower()) for name, value in every]

    @app.after_request
    def _protect(response: Response) -> Response:
        headers = response.headers
        if response.status_code == 304:
            # What the asker has kept has the others (RFC 9110, 15.4.5); most polls end so.
            if settings.is_secure:
                headers.add(*SECURE)
            return response
        # Looked through once: each poll has them, and a look for each took longer than the rest.
        said = {name.lower() for name, _ in headers}
        for name, value, key in ours:
            if key not in said:
                headers.add(name, value)
        if "cache-control" not in said and not request.path.startswith("/static/"):
            headers.add("Cache-Control", "no-store")
        return response
