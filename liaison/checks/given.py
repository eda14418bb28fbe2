"""The settings as they were given: what the programs would refuse, and what they would not read."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_network

from liaison.checks.findings import Warned
from liaison.domain import listening, mail_places
from liaison.domain.gateway import Gateway
from liaison.domain.mail_places import MailServer, Place
from liaison.errors import LiaisonError, SettingsError
from liaison.settings import Env, Settings
from liaison.settings import names as known

OF_THE_CLIENT = frozenset(
    f"LIAISON_{name}" for name in ("URL", "KEY", "KEY_FILE", "TYPE", "SEQ", "ORDER", "REF")
)
"""What ``liaison-poll`` reads, and what it tells the command that it runs."""


def settings(settings: Settings) -> str:
    """What no program starts with."""
    if settings.env is Env.PRODUCTION and not settings.is_secure:
        raise LiaisonError("LIAISON_BASE_URL must begin with https:// in production.")
    for network in settings.trusted_proxies:
        try:
            ip_network(network, strict=False)
        except ValueError:
            raise SettingsError(
                f"LIAISON_TRUSTED_PROXIES holds {network!r}, which is no address and no network: "
                "every request would fail."
            ) from None
    return f"{settings.env}, {settings.base_url}"


def names(environ: Mapping[str, str]) -> str:
    """A name that nobody reads is a setting that somebody believes to be set."""
    strange = [_strange(name) for name in sorted(environ) if _is_strange(name)]
    if strange:
        raise Warned(f"set, and read by nothing: {', '.join(strange)}")
    return "every LIAISON_… that is set is a setting"


def _is_strange(name: str) -> bool:
    return name.startswith("LIAISON_") and name not in OF_THE_CLIENT and name not in known()


def _strange(name: str) -> str:
    near = get_close_matches(name, known(), n=1)
    return f"{name} (is {near[0]} meant?)" if near else name


def bind(settings: Settings) -> str:
    """Where the portal is to listen: names must be known to this machine."""
    for host in listening.hosts(settings.bind):
        try:
            socket.getaddrinfo(host, None)
        except (OSError, UnicodeError):
            raise SettingsError(
                f"LIAISON_BIND names {host!r}, which this machine does not know."
            ) from None
    return f"{settings.bind}, {listening.processes(settings.processes)} processes"


def mail(settings: Settings) -> str:
    """The mail server, and the sender of notices."""
    server = MailServer.from_url(settings.smtp_url)
    mail_places.sender(settings.mail_from)
    return _answers(server.host, server.port)


def bounces(settings: Settings) -> str:
    """The mailbox that letters come back to."""
    if not settings.bounce_url:
        if settings.canary_address:
            raise Warned(
                "LIAISON_CANARY_ADDRESS is set, but no canary goes there: LIAISON_BOUNCE_URL, the "
                "mailbox that it would come back to, is not set"
            )
        return "no mailbox is read: LIAISON_BOUNCE_URL is not set"
    place = Place.from_url(settings.bounce_url)
    return _answers(place.host, place.port)


def gateway(settings: Settings) -> str:
    """The gateway of texts and calls."""
    if not settings.gateway_url:
        return "none: no text message and no automatic call is sent"
    gateway = Gateway.from_url(settings.gateway_url)
    answers = _answers(gateway.host, gateway.port)
    if settings.env is Env.PRODUCTION and not settings.is_secure:
        raise Warned(f"{answers}, but can tell us nothing: LIAISON_BASE_URL is not https://")
    return f"{answers}; from {gateway.sender}"


def _answers(host: str, port: int) -> str:
    try:
        with socket.create_connection((host, port), timeout=5):
            return f"{host}:{port} answers"
    except OSError as error:
        raise LiaisonError(f"{host}:{port} does not answer: {error}") from None
