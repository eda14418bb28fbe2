"""Where the demo lies, and what keeps it from starting."""

from __future__ import annotations

import fcntl
import json
import os
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from liaison.domain.gateway import Gateway
from liaison.errors import LiaisonError, SettingsError
from liaison.settings import Env, Settings

ROOT = Path(__file__).resolve().parents[2]
"""The checkout: the demo's orders are the tests' own."""

PORT = 8000
MAIL_FROM = "Liaison (demo) <liaison@police.example>"

_REAL = (
    "SECRET_KEY",
    "ENCRYPTION_KEY",
    "SIGNING_KEY",
    "SMTP_URL",
    "TRUSTED_PROXIES",
    "HEARTBEAT_URL",
    "BOUNCE_URL",
    "CANARY_ADDRESS",
    "GATEWAY_URL",
)
"""Settings that only a real installation needs. The demo makes its own and says so."""


_LOCAL = {
    "SMTP_URL": "the demo sends no letter",
    "GATEWAY_URL": "the demo sends no text and makes no call",
}
"""Of these the ones that may lead to this machine: the demo's own programs are given them."""


def demo_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """The demo's settings. ``SettingsError`` names each production setting that is present."""
    given = _given(environ)
    folder = _folder(given.get("DATA_DIR", "var"))
    url = f"sqlite:///{folder / 'liaison.db'}"
    faults = _faults(given, folder)
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise SettingsError(
            "The demo does not start where settings of a real installation are present:\n"
            f"{lines}\nUnset them and start again."
        )
    running = noted(folder)
    base_url = given.get("BASE_URL") or running.get("url") or f"http://127.0.0.1:{PORT}"
    return Settings(
        env=Env.DEMO,
        database_url=url,
        data_dir=folder,
        base_url=base_url.rstrip("/"),
        smtp_url=running.get("smtp_url", "smtp://127.0.0.1:8025"),
        mail_from=MAIL_FROM,
        gateway_url=_gateway(given) or running.get("gateway_url") or gateway_url(8125),
    ).with_keys()


def names_another(environ: Mapping[str, str]) -> bool:
    """Whether any setting speaks of an installation that is not the demo."""
    given = _given(environ)
    real = (name for name in _REAL if name in given and not _stays_here(name, given))
    return "ENV" in given or "DATABASE_URL" in given or any(real)


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix("LIAISON_"): value.strip()
        for name, value in environ.items()
        if name.startswith("LIAISON_") and value.strip()
    }


def _stays_here(name: str, given: Mapping[str, str]) -> bool:
    return name in _LOCAL and _is_loopback(given[name])


def _gateway(given: Mapping[str, str]) -> str:
    """A gateway of the developer's own, which must be on this machine; empty: the demo's."""
    url = given.get("GATEWAY_URL", "")
    if url:
        Gateway.from_url(url)
    return url


def gateway_url(port: int) -> str:
    """The demo's gateway of texts and calls. Its secret is known to anybody who reads this."""
    secret = quote("whsec_" + b64encode(b"the demo's gateway, nothing more").decode(), safe="")
    return f"gateway+http://demo:{secret}@127.0.0.1:{port}/?from=Liaison"


def is_demos_gateway(url: str) -> bool:
    """Whether an address is that of the demo's own gateway, on whatever port."""
    return url == gateway_url(urlsplit(url).port or 0)


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which every other command works on the demo."""
    return {
        "LIAISON_ENV": settings.env.value,
        "LIAISON_DATA_DIR": str(settings.data_dir),
        "LIAISON_DATABASE_URL": settings.database_url,
        "LIAISON_BASE_URL": settings.base_url,
        "LIAISON_SMTP_URL": settings.smtp_url,
        "LIAISON_MAIL_FROM": settings.mail_from,
        "LIAISON_GATEWAY_URL": settings.gateway_url,
    }


def order_file(name: str) -> Any:
    """One of the orders in ``tests/data/orders``, as data."""
    path = ROOT / "tests" / "data" / "orders" / name
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path} is missing. The demo plays the orders of a checkout; "
            "run it from one, by `make demo`."
        ) from None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One demo at a time in this folder; a lock that dies with its holder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LiaisonError(
                f"Another demo uses {folder}. Stop it with Ctrl-C where it runs, "
                "or wait until it is built."
            ) from None
        yield


def _folder(data_dir: str) -> Path:
    folder = Path(data_dir).resolve()
    return folder if folder.name == "demo" else folder / "demo"


def noted(folder: Path) -> dict[str, str]:
    """What a running demo has written down about itself; empty where none runs."""
    with suppress(OSError, ValueError):
        found = json.loads((folder / "running.json").read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return {str(k): str(v) for k, v in found.items()}
    return {}


def _faults(given: Mapping[str, str], folder: Path) -> list[str]:
    faults = []
    if given.get("ENV", Env.DEMO) not in (Env.DEMO, Env.TEST):
        faults.append(f"LIAISON_ENV is {given['ENV']}.")
    database = given.get("DATABASE_URL")
    if database and not _is_ours(database, folder):
        faults.append("LIAISON_DATABASE_URL names another database than the demo's.")
    for name in ("BASE_URL", "BIND"):
        if name in given and not _is_loopback(given[name]):
            faults.append(f"LIAISON_{name} is not on this machine only; the demo is.")
    for name in _REAL:
        if name not in given or _stays_here(name, given):
            continue
        why = f" and leads elsewhere: {_LOCAL[name]} beyond this machine" if name in _LOCAL else ""
        faults.append(f"LIAISON_{name} is set{why}.")
    return faults


def _is_ours(url: str, folder: Path) -> bool:
    prefix = "sqlite:///"
    path = Path(url.removeprefix(prefix))
    return url.startswith(prefix) and path.resolve() == (folder / "liaison.db").resolve()


def _is_loopback(address: str) -> bool:
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return False
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
