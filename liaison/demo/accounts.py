"""Who can sign in to the demo. Passwords and secrets are made once an installation."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from liaison.clock import SystemClock
from liaison.domain.vocabulary import Role
from liaison.services import totp
from liaison.settings import Settings

AUTHORITY = "Republic Contact Point"


@dataclass(frozen=True)
class Account:
    """One person of the demo."""

    email: str
    name: str
    role: Role
    organisation: str


ACCOUNTS = (
    Account("officer@police.example", "Ines Vardanyan", Role.OFFICER, AUTHORITY),
    Account("officer2@police.example", "Gor Mkrtchyan", Role.OFFICER, AUTHORITY),
    Account("supervisor@police.example", "Aram Petrosyan", Role.SUPERVISOR, AUTHORITY),
    Account("auditor@police.example", "Nora Simonyan", Role.AUDITOR, AUTHORITY),
    Account("administrator@police.example", "Davit Melkonyan", Role.ADMINISTRATOR, AUTHORITY),
    Account("spoc@meridian.example", "Karen Hovsepyan", Role.SPOC, "Meridian Telecom"),
    Account("spoc@norvik.example", "Tigran Avagyan", Role.SPOC, "Norvik Mobile"),
    Account("spoc@harbour.example", "Élodie Marchand", Role.SPOC, "Harbour Cable"),
    Account("spoc@sevan.example", "Mariam Danielyan", Role.SPOC, "Sevan Hosting"),
    Account("spoc@rehearsal.example", "Ani Terteryan", Role.SPOC, "Rehearsal Net"),
    Account(
        "admin@meridian.example", "Levon Sahakyan", Role.PROVIDER_ADMINISTRATOR, "Meridian Telecom"
    ),
)

PROVIDERS = (
    "Meridian Telecom",
    "Norvik Mobile",
    "Harbour Cable",
    "Sevan Hosting",
    "Rehearsal Net",
)

TOY = "Sevan Hosting"
"""The provider that the toy plays; its people watch."""

REHEARSES = "Rehearsal Net"
"""The provider whose emergency ladder climbs by the minute."""


def kept(folder: Path) -> dict[str, Any]:
    """Passwords, secrets and keys of this installation, 0600; made when they are first needed.

    Whoever has them keeps them; people and providers that a newer demo brings are added.
    """
    path = folder / "accounts.json"
    known: dict[str, Any] = {"people": {}, "keys": {}}
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
    people = [a.email for a in ACCOUNTS if a.email not in known["people"]]
    providers = [name for name in PROVIDERS if name not in known["keys"]]
    for email in people:
        known["people"][email] = {
            "password": "-".join(secrets.token_hex(2) for _ in range(4)),
            "totp_secret": totp.new_secret(),
        }
    for name in providers:
        known["keys"][name] = f"lsn_{secrets.token_urlsafe(32)}"
    if people or providers:
        _keep(path, known)
    return known


def _keep(path: Path, known: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".accounts-{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(known, file, indent=1)
    draft.replace(path)


def listing(settings: Settings) -> dict[str, Any]:
    """The accounts with the codes of this moment, and the keys."""
    known, now = kept(settings.data_dir), SystemClock().now()
    return {
        "url": settings.base_url,
        "accounts": [
            {
                "email": a.email,
                "role": a.role.value,
                "organisation": a.organisation,
                "password": known["people"][a.email]["password"],
                "totp_secret": known["people"][a.email]["totp_secret"],
                "totp_now": totp.current_code(known["people"][a.email]["totp_secret"], now),
            }
            for a in ACCOUNTS
        ],
        "api_keys": [{"provider": p, "key": known["keys"][p]} for p in PROVIDERS],
    }
