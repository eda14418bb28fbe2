"""The links that lead to an invitation: signed by the portal, good for 72 hours by its clock.

A link is a secret: it is written into one letter and nowhere else, and never logged.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote
from uuid import UUID

from itsdangerous import BadData, SignatureExpired, TimestampSigner, URLSafeTimedSerializer

from liaison.errors import NotFound
from liaison.services.invitations import LASTS, LATE, Link, LinkClosed
from liaison.settings import Settings


def maker(settings: Settings, now: datetime) -> Link:
    """What makes the link of an invitation, as of now."""
    signer = _signer(settings, now)

    def link(invitation_id: UUID) -> str:
        token = signer.dumps(str(invitation_id))
        return f"{settings.base_url.rstrip('/')}/invitation/{quote(token)}"

    return link


def read(settings: Settings, token: str, now: datetime) -> UUID:
    """Which invitation a link means; ``NotFound`` where this portal never made it."""
    try:
        text = _signer(settings, now).loads(token, max_age=int(LASTS.total_seconds()))
        return UUID(text)
    except SignatureExpired:
        raise LinkClosed(LATE) from None
    except (BadData, ValueError, TypeError, AttributeError):
        raise NotFound from None


def _signer(settings: Settings, now: datetime) -> URLSafeTimedSerializer:
    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(now.timestamp())

    return URLSafeTimedSerializer(settings.secret_key, salt="invitation", signer=Signer)
