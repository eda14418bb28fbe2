"""What a request carries: one session, one moment, one id, the client's address."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import structlog
from flask import Flask, Response, current_app, g, has_request_context, request
from sqlalchemy.orm import Session

from liaison.clock import Clock
from liaison.documents.order_jws import Signer
from liaison.models.base import Database, new_id
from liaison.services.vault import Vault
from liaison.settings import Settings

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_log = structlog.get_logger("liaison.web")


@dataclass(frozen=True)
class Liaison:
    """What the whole process shares."""

    settings: Settings
    database: Database
    clock: Clock
    vault: Vault
    signer: Signer


def core() -> Liaison:
    """What the process shares."""
    shared: Liaison = current_app.extensions["liaison"]
    return shared


def settings() -> Settings:
    """The settings."""
    return core().settings


def signer() -> Signer:
    """What signs orders."""
    return core().signer


def vault() -> Vault:
    """What opens stored secrets."""
    return core().vault


def now() -> datetime:
    """The moment of this request: one and the same from its beginning to its end."""
    if not has_request_context():
        return core().clock.now()
    moment: datetime | None = g.get("now")
    if moment is None:
        g.now = moment = core().clock.now()
    return moment


def db() -> Session:
    """The request's session. It may write only where the method may change anything."""
    if "db" not in g:
        database = core().database
        g.db = database.reading() if request.method in _READS else database.writing()
    session: Session = g.db
    return session


def commit() -> None:
    """Commits the request's session: the third of a view's four steps."""
    db().commit()


@contextmanager
def write() -> Iterator[Session]:
    """A short transaction of its own for what a GET must note (first fetch, last seen)."""
    assert request.method in _READS, "a request that may write has its own session"
    with core().database.transaction() as session:
        yield session


def request_id() -> str:
    """The id under which the logs know this request; pages and problems show it."""
    found: str | None = g.get("request_id")
    if found is None:
        g.request_id = found = new_id().hex
    return found


def address() -> str:
    """The client's address: a proxy's word counts only where the settings name that proxy."""
    trusted, direct = _networks(settings().trusted_proxies), request.remote_addr
    if direct and not trusted and ":" not in direct:
        return direct
    line = ",".join(request.headers.getlist("X-Forwarded-For"))
    hops = [hop.strip() for hop in line.split(",")] if line else []
    nearest = request.remote_addr or ""
    while hops and any(_is_within(nearest, network) for network in trusted):
        nearest = hops.pop()
    return _plain(nearest if _is_address(nearest) else request.remote_addr or "")


@cache
def _networks(named: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(net, strict=False) for net in named)


def _is_within(hop: str, network: IPv4Network | IPv6Network) -> bool:
    return _is_address(hop) and ip_address(_plain(hop)) in network


def _plain(address: str) -> str:
    """An IPv4 address as such: a socket for both kinds writes it into an IPv6 one."""
    mapped = IPv6Address(address).ipv4_mapped if ":" in address and _is_address(address) else None
    return str(mapped) if mapped else address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def init_app(app: Flask) -> None:
    """Opens and closes what a request carries, and logs one line about it."""

    @app.before_request
    def _begin() -> None:
        g.started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id())

    @app.after_request
    def _end(response: Response) -> Response:
        response.headers["X-Request-Id"] = request_id()
        started = g.get("started")
        # A look that found nothing new is no news: those of programs are counted with their key.
        if started is not None and response.status_code != 304 and request.endpoint != "static":
            _log.info(
                "request",
                method=request.method,
                # The rule, not the path: a path may carry what somebody typed.
                route=request.url_rule.rule if request.url_rule else None,
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
        return response

    @app.teardown_appcontext
    def _close(_error: BaseException | None) -> None:
        session: Session | None = g.pop("db", None)
        if session is not None:
            session.close()
