"""Answers of the endpoint packed with gzip, where the asker takes it.

Only here, never for pages. An answer that holds a secret beside a text of an attacker's choosing
tells the secret by its packed length to whoever sees the line (BREACH). A page has its form's
token. What the endpoint answers holds no secret: a key is sent to us and never back, and of
several tenants' texts none stands beside another's but an order and the answer to it.
"""

from __future__ import annotations

import gzip

from flask import Response, request

LEAST = 1024
"""Bytes; less is sent as quickly as it is packed."""
LEVEL = 1
"""The quickest; what a higher one saves of a page of entries is little."""
KINDS = ("application/json", "application/problem+json")


def pack(response: Response) -> Response:
    """The answer, packed where that is asked for and worth it.

    Its ``ETag`` stays: it names the version that ``If-Match`` has to meet to the letter (RFC 9110,
    13.1.1), packed or not. Nobody asks for parts of an answer, and none is kept for others.
    """
    if response.status_code == 304:
        response.headers.add("Vary", "Accept-Encoding")
    elif response.mimetype in KINDS and not response.is_streamed:
        response.vary.add("Accept-Encoding")
        if "Accept-Encoding" in request.headers and _is_wanted(response):
            response.set_data(gzip.compress(response.get_data(), LEVEL, mtime=0))
            response.headers["Content-Encoding"] = "gzip"
    return response


def _is_wanted(response: Response) -> bool:
    long_enough = (response.content_length or 0) >= LEAST
    return long_enough and request.accept_encodings.quality("gzip") > 0
