"""Two doors: a contact point's programs under ``/authority``, a provider's at everything else.

Whose key it is is asked before its scopes, the address's names and the body: a key at the wrong
door reads the same words everywhere and learns nothing by them.
"""

from __future__ import annotations

from flask import request

from liaison.errors import Forbidden
from liaison.services.keys import KnownKey

PREFIX = "/api/v1/authority/"

OURS = (
    "This key belongs to a contact point. Its calls stand under /api/v1/authority; the others are "
    "a provider's."
)
THEIRS = (
    "This key belongs to a provider. The calls under /api/v1/authority are a contact point's; "
    "yours are the others."
)


def is_authority() -> bool:
    """Whether the request stands at the contact points' door."""
    rule = request.url_rule
    return rule is not None and rule.rule.startswith(PREFIX)


def demand(key: KnownKey) -> None:
    """``Forbidden`` for a key of the other kind."""
    if is_authority() != key.is_contact_points:
        raise Forbidden(OURS if key.is_contact_points else THEIRS)
