"""What the tests of the portal share."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.portal.filled import SignedIn
from tests.world import World


@pytest.fixture
def signed_in(app: Flask, world: World) -> SignedIn:
    """A browser in which somebody has signed in."""

    def browser(who: str) -> FlaskClient:
        client = app.test_client()
        world.sign_in(client, who)
        return client

    return browser
