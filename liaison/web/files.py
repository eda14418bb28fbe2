"""Files that somebody sent: handed out as bytes to be saved, and never opened by a browser here."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response

from liaison.domain.attachments import CSV, PLAIN, save_as
from liaison.models import Attachment

SHUT_IN = "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""Even a browser that opens the file draws nothing of it and runs nothing in it."""


def handed_out(file: Attachment) -> Response:
    """The file, under a name that is no path and ends as its content does."""
    name = save_as(file.name, file.media_type)
    plain = "".join(c if " " <= c <= "~" else "_" for c in name)
    response = Response(file.blob.content)
    text = "; charset=utf-8" if file.media_type in (PLAIN, CSV) else ""
    headers = response.headers
    headers["Content-Type"] = f"{file.media_type}{text}"
    headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    headers["Content-Security-Policy"] = SHUT_IN
    headers["Cache-Control"] = "private, no-store"
    return response
