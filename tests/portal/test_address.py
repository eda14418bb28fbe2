"""Whose address a request has: a proxy's word counts only where the settings name that proxy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask

from liaison import web
from liaison.services import throttle


@pytest.fixture
def behind(app: Flask) -> Flask:
    """The portal behind a proxy at 192.0.2.1, and one more behind 192.0.2.2."""
    shared = app.extensions["liaison"]
    named = replace(shared.settings, trusted_proxies=("192.0.2.0/30",))
    app.extensions["liaison"] = replace(shared, settings=named)
    return app


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("peer", "line", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("192.0.2.1", "198.51.100.1", "198.51.100.1"),
        ("192.0.2.1", "10.9.9.9, 198.51.100.1", "198.51.100.1"),
        ("192.0.2.1", "198.51.100.1, 192.0.2.2", "198.51.100.1"),
        ("192.0.2.1", "nonsense", "192.0.2.1"),
        ("::ffff:192.0.2.1", "198.51.100.1", "198.51.100.1"),
        ("::ffff:203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("2001:db8::9", "198.51.100.1", "2001:db8::9"),
    ],
)
def test_the_nearest_hop_that_no_proxy_of_ours_is(
    behind: Flask, peer: str, line: str, client: str
) -> None:
    headers = {"X-Forwarded-For": line} if line else {}
    with behind.test_request_context("/", headers=headers, environ_base={"REMOTE_ADDR": peer}):
        assert web.address() == client


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_what_counts_as_one_place(address: str, place: str) -> None:
    assert throttle.place(address) == place
