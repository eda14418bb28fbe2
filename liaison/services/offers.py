"""The secret of a new authenticator while it is only offered: on one page, and nowhere else.

It is made afresh for each page and stored nowhere until a code confirms it. Whoever else opens the
same page, as the reader of an intercepted letter can, is shown another one.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from uuid import UUID

from liaison.errors import SettingsError
from liaison.services import totp
from liaison.services.vault import Vault

LASTS = timedelta(minutes=30)
"""How long a page's new secret may be confirmed."""

TOO_OLD = "This page is too old. A new secret is shown: remove the old entry and scan this one."


def make(vault: Vault, whose: UUID, now: datetime) -> tuple[str, str]:
    """A new secret, and the same sealed for the page's form.

    The seal binds it to a session or an invitation and to the moment, so that nobody plants a
    secret of their own.
    """
    secret = totp.new_secret()
    made = {"secret": secret, "whose": str(whose), "at": now.isoformat()}
    return secret, vault.seal(json.dumps(made))


def opened(vault: Vault, whose: UUID, sealed: str, now: datetime) -> str | None:
    """The secret that the page had shown; None where it was not for this one, or is old."""
    try:
        made = json.loads(vault.open(sealed))
        at = datetime.fromisoformat(made["at"])
    except (SettingsError, ValueError, TypeError, KeyError):
        return None
    if made.get("whose") != str(whose) or now - at > LASTS:
        return None
    secret: str = made["secret"]
    return secret
