"""What the tests of text messages and calls share: telephones in the register, a signed gateway."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from liaison import create_app, signatures
from liaison.domain.gateway import twilio_signature
from liaison.domain.terms import terms_from_json, terms_json
from liaison.domain.vocabulary import Channel, Function
from liaison.models import Contact, Memorandum
from liaison.settings import Settings
from tests.http_sink import HttpSink
from tests.world import World

SECRET = "whsec_" + base64.b64encode(b"the gateway's own secret, 32 byt").decode()
FORMER = "whsec_" + base64.b64encode(b"the secret of last year, 24+ bytes").decode()
TOKEN = "twilio-token"
SPOC = "+37410000200"
"""The number of Meridian Telecom's SPOC."""


def own_url(sink: HttpSink) -> str:
    """``LIAISON_GATEWAY_URL`` of a gateway of our own interface, on loopback."""
    secrets = f"{SECRET},{FORMER}".replace("=", "%3D").replace("/", "%2F").replace("+", "%2B")
    return f"gateway+{sink.url.replace('//', f'//the-key:{secrets}@')}/send?from=+37410000999"


def twilio_url(sink: HttpSink) -> str:
    """The same, of Twilio's."""
    return f"twilio+{sink.url.replace('//', f'//AC123:{TOKEN}@')}/?from=+15550001111"


def app_with(settings: Settings, world: World, url: str) -> Flask:
    """The application of an installation that has this gateway."""
    app = create_app(replace(settings, gateway_url=url), world.clock)
    app.testing = True
    return app


def reach_by(world: World, *ways: Channel, reply: bool = True) -> None:
    """Everybody can be reached by these ways, every rung uses them, a reply counts or not."""
    with world.database.transaction() as session:
        values = [way.value for way in (Channel.EMAIL, Channel.CALL, *ways)]
        session.execute(update(Contact).values(channels=values))
        for memorandum in session.scalars(select(Memorandum)):
            agreed = terms_from_json(memorandum.terms)
            ladders = {
                urgency: replace(
                    ladder,
                    rungs=tuple(
                        replace(rung, channels=(*rung.channels, *ways)) for rung in ladder.rungs
                    ),
                )
                for urgency, ladder in agreed.ladders.items()
            }
            agreed = replace(agreed, ladders=ladders, reply_acknowledges=reply)
            memorandum.terms = terms_json(agreed)


def spoc_of(world: World, provider: str = "Meridian Telecom") -> UUID:
    """The contact that is registered as a provider's SPOC."""
    with world.database.reading() as session:
        query = select(Contact.id).where(
            Contact.provider_id == world.register.providers[provider],
            Contact.function == Function.PRIMARY,
        )
        return session.scalars(query).one()


@dataclass
class Callbacks:
    """A gateway that calls back: signs what it says as the documentation asks."""

    app: Flask
    world: World
    told: int = 0

    def say(
        self,
        what: str,
        given: Mapping[str, Any] | bytes,
        *,
        id: str | None = None,
        secret: str = SECRET,
        late: float = 0,
        body: bytes | None = None,
    ) -> TestResponse:
        """One callback; ``late``: signed so many seconds ago; ``body``: put in its place."""
        self.told += 1
        signed = given if isinstance(given, bytes) else json.dumps(given).encode()
        at = self.world.clock.move(seconds=-late) if late else self.world.now
        self.world.clock.move(seconds=late)
        headers = signatures.headers([secret], id or f"callback-{self.told}", at, signed)
        return self.app.test_client().post(
            f"/gateway/{what}",
            data=body or signed,
            headers=headers,
            content_type="application/json",
        )

    def status(self, message: object, status: str, detail: str = "", **how: Any) -> TestResponse:
        """What became of a message."""
        given = {"id": str(message), "status": status, "detail": detail}
        return self.say("status", given, **how)

    def reply(self, text: str = "1", *, number: str = SPOC, **how: Any) -> TestResponse:
        """What somebody answered."""
        return self.say("reply", {"from": number, "text": text}, **how)


def twilio_says(app: Flask, what: str, form: Mapping[str, str], *, token: str = TOKEN) -> Any:
    """A callback as Twilio signs it, by our public address."""
    signature = twilio_signature(token, f"http://localhost/gateway/twilio/{what}", form.items())
    return app.test_client().post(
        f"/gateway/twilio/{what}", data=form, headers={"X-Twilio-Signature": signature}
    )
