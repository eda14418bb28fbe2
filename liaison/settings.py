"""Settings, read once from the environment. docs/operations.md describes each."""

from __future__ import annotations

import json
import os
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from liaison.errors import SettingsError


class Env(StrEnum):
    """What this installation is. Only production may hold real cases."""

    DEMO = "demo"
    TEST = "test"
    PRODUCTION = "production"


HOW_TO_MAKE = {
    "LIAISON_SECRET_KEY": "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
    # A key of Fernet's; made so that any Python can.
    "LIAISON_ENCRYPTION_KEY": (
        "python3 -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'"
    ),
    "LIAISON_SIGNING_KEY": "openssl genpkey -algorithm ed25519 -out signing.pem",
}


SHORTEST_SECRET = 32
"""Characters."""


@dataclass(frozen=True)
class Settings:
    """All settings. ``encryption_key`` may hold several keys, newest first, comma between."""

    env: Env = Env.PRODUCTION
    database_url: str = "sqlite:///var/liaison.db"
    data_dir: Path = Path("var")
    secret_key: str = ""
    encryption_key: str = ""
    signing_key: str = ""
    base_url: str = "http://127.0.0.1:8000"
    smtp_url: str = "smtp://127.0.0.1:25"
    mail_from: str = "Liaison <liaison@localhost>"
    trusted_proxies: tuple[str, ...] = ()
    heartbeat_url: str = ""
    scan_command: str = ""
    """A command that looks at each file people send; empty: none does."""
    gateway_url: str = ""
    """Where text messages and automatic calls are handed over; empty: none is sent."""
    bounce_url: str = ""
    """The mailbox that is read for bounces: ``imaps://user:password@host/INBOX``; empty: none."""
    canary_every: int = 5
    """Minutes between two canaries on each way that comes back; 0: none is sent."""
    canary_address: str = ""
    """Where a canary by e-mail goes; what arrives there comes back to the bounces' mailbox."""
    metrics_token: str = ""
    """Who shows it may read ``/metrics``; empty: only this machine may."""
    rate_limit: int = 600
    """Requests a minute that an API key may make of one process of the portal; 0: no limit."""
    retired_keys: str = ""
    """A file with the public keys that signed orders before (a JWK set); empty: there were none."""
    bind: str = "127.0.0.1:8000"
    """Where gunicorn listens, and ``processes`` of it: as given, for whoever starts it to read."""
    processes: str = "2"

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Settings:
        """Reads ``LIAISON_*``. Missing keys are found by ``with_keys``, when they are needed."""

        def get(name: str, default: str) -> str:
            return environ.get(f"LIAISON_{name}", "").strip() or default

        try:
            env = Env(get("ENV", "production"))
        except ValueError as error:
            raise SettingsError(
                f"LIAISON_ENV is {get('ENV', '')!r}; it must be demo, test or production."
            ) from error
        return cls(
            env=env,
            database_url=get("DATABASE_URL", cls.database_url),
            data_dir=Path(get("DATA_DIR", "var")),
            secret_key=get("SECRET_KEY", ""),
            encryption_key=get("ENCRYPTION_KEY", ""),
            signing_key=get("SIGNING_KEY", ""),
            base_url=get("BASE_URL", cls.base_url).rstrip("/"),
            smtp_url=get("SMTP_URL", cls.smtp_url),
            mail_from=get("MAIL_FROM", cls.mail_from),
            trusted_proxies=tuple(get("TRUSTED_PROXIES", "").replace(",", " ").split()),
            heartbeat_url=get("HEARTBEAT_URL", ""),
            scan_command=get("SCAN_COMMAND", ""),
            gateway_url=get("GATEWAY_URL", ""),
            bounce_url=get("BOUNCE_URL", ""),
            canary_every=_whole(
                "LIAISON_CANARY_EVERY",
                get("CANARY_EVERY", "5"),
                range(LONGEST_CANARY + 1),
                f"0 (off) to {LONGEST_CANARY} minutes",
            ),
            canary_address=get("CANARY_ADDRESS", ""),
            metrics_token=_long_enough("LIAISON_METRICS_TOKEN", get("METRICS_TOKEN", "")),
            rate_limit=_whole(
                "LIAISON_RATE_LIMIT",
                get("RATE_LIMIT", str(cls.rate_limit)),
                range(MOST_REQUESTS + 1),
                f"0 (off) to {MOST_REQUESTS} a minute",
            ),
            retired_keys=get("RETIRED_KEYS", ""),
            bind=get("BIND", cls.bind),
            processes=get("PROCESSES", cls.processes),
        )

    @property
    def is_secure(self) -> bool:
        """Whether people reach the portal by HTTPS; cookies are ``__Host-`` then."""
        return urlsplit(self.base_url).scheme == "https"

    @property
    def _is_loopback(self) -> bool:
        return _is_here(self.base_url)

    def with_keys(self) -> Settings:
        """Settings whose keys are all there.

        In production a missing key stops the start and is never made silently: a new one would
        make every stored secret unreadable. Demo and test keep theirs in the data directory.
        """
        given = {
            "LIAISON_SECRET_KEY": self.secret_key,
            "LIAISON_ENCRYPTION_KEY": self.encryption_key,
            "LIAISON_SIGNING_KEY": self.signing_key,
        }
        missing = [name for name, value in given.items() if not value]
        if self.env is Env.PRODUCTION:
            if missing:
                hints = (f"{n} is not set. Make one with: {HOW_TO_MAKE[n]}" for n in missing)
                raise SettingsError("\n".join(hints))
            if len(self.secret_key) < SHORTEST_SECRET:
                hint = HOW_TO_MAKE["LIAISON_SECRET_KEY"]
                raise SettingsError(
                    f"LIAISON_SECRET_KEY has fewer than {SHORTEST_SECRET} characters: it can be "
                    f"guessed. Make one with: {hint}"
                )
            if not self.is_secure and not self._is_loopback:
                raise SettingsError(
                    f"LIAISON_BASE_URL is {self.base_url}; in production it begins with https://, "
                    "else sign-in cookies travel in the clear."
                )
            if not Path(self.signing_key).is_file():
                raise SettingsError(
                    "LIAISON_SIGNING_KEY names no file. "
                    f"Make one with: {HOW_TO_MAKE['LIAISON_SIGNING_KEY']}"
                )
            return self
        kept = _kept_keys(self.data_dir / "keys.json") if missing else {}
        return replace(
            self,
            secret_key=self.secret_key or kept["secret_key"],
            encryption_key=self.encryption_key or kept["encryption_key"],
            signing_key=self.signing_key or _kept_signing_key(self.data_dir / "signing.pem"),
        )


def names() -> tuple[str, ...]:
    """The name of every setting: that of its field."""
    return tuple(f"LIAISON_{field.name.upper()}" for field in fields(Settings))


def may_ask(url: str) -> bool:
    """Whether a request of our own may go to an address of the settings: https, or this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or not url.isascii() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_here(url))


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


LONGEST_CANARY = 1440
"""Minutes: a way that is tried less than once a day is not watched."""

MOST_REQUESTS = 60_000
"""A minute: a thousand a second, more than one process answers."""


def _whole(name: str, given: str, values: range, told: str) -> int:
    if given.isascii() and given.isdigit() and len(given) < 6 and int(given) in values:
        return int(given)
    raise SettingsError(f"{name} is {given!r}; it must be {told}.")


def _long_enough(name: str, secret: str) -> str:
    if secret and len(secret) < SHORTEST_SECRET:
        hint = HOW_TO_MAKE["LIAISON_SECRET_KEY"]
        raise SettingsError(
            f"{name} has fewer than {SHORTEST_SECRET} characters: it can be guessed. "
            f"Make one with: {hint}"
        )
    return secret


def _kept_keys(path: Path) -> dict[str, str]:
    """Keys of a demo or test, made on first use."""
    if not path.exists():
        keys = {
            "secret_key": secrets.token_urlsafe(48),
            "encryption_key": urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        _keep(path, json.dumps(keys))
    stored: dict[str, str] = json.loads(path.read_text())
    return stored


ED25519_PKCS8 = bytes.fromhex("302e020100300506032b657004220420")
"""What stands before the 32 random bytes of an Ed25519 key (RFC 8410, section 7)."""


def _kept_signing_key(path: Path) -> str:
    """The file with the key by which a demo or test signs, made on first use."""
    if not path.exists():
        inner = b64encode(ED25519_PKCS8 + secrets.token_bytes(32)).decode()
        _keep(path, f"-----BEGIN PRIVATE KEY-----\n{inner}\n-----END PRIVATE KEY-----\n")
    return str(path)


def _keep(path: Path, text: str) -> None:
    """Writes a file that its owner only may read; one that is there already stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.stem}-{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    try:
        # A link appears whole or not at all: two programs that start together share one file.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
