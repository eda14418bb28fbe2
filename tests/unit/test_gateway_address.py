"""``LIAISON_GATEWAY_URL``, and the signature of Twilio's callbacks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from liaison.checks import given
from liaison.domain.gateway import Gateway, Kind, twilio_signature
from liaison.errors import LiaisonError, SettingsError
from liaison.settings import Env, Settings
from tests.http_sink import HttpSink, closed_port

SECRET = "whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0"


def test_both_forms_are_read() -> None:
    own = Gateway.from_url(f"gateway+https://key:{SECRET}@sms.example/send?from=+37410000247")
    assert own == Gateway(
        Kind.OWN, True, "sms.example", 443, "/send", "key", (SECRET,), "+37410000247"
    )
    twilio = Gateway.from_url("twilio+https://AC1:to%2Fken@api.twilio.com/?from=%2B15550001111")
    assert (twilio.kind, twilio.secrets, twilio.sender) == (
        Kind.TWILIO,
        ("to/ken",),
        "+15550001111",
    )
    local = Gateway.from_url(f"gateway+http://k:{SECRET},{SECRET}@127.0.0.1:8125/?from=Police")
    assert (local.port, local.secure, len(local.secrets)) == (8125, False, 2)


@pytest.mark.parametrize(
    "url",
    [
        "https://key:secret@sms.example/?from=+374100",
        "gateway+ftp://key:secret@sms.example/?from=+374100",
        f"gateway+https://key:{SECRET}@sms.example/",
        f"gateway+https://key:{SECRET}@sms.example/?from=a%0d%0ab",
        f"gateway+https://:{SECRET}@sms.example/?from=+374100",
        f"gateway+https://a%0d%0ab:{SECRET}@sms.example/?from=+374100",
        "gateway+https://key@sms.example/?from=+374100",
        "gateway+https://key:short@sms.example/?from=+374100",
        "gateway+https://key:whsec_c2hvcnQ=@sms.example/?from=+374100",
        f"gateway+http://key:{SECRET}@sms.example/?from=+374100",
        f"gateway+https://key:{SECRET}@sms.example:port/?from=+374100",
        "twilio+https://AC1@api.twilio.com/?from=+1555",
    ],
)
def test_what_cannot_be_used_is_refused_without_telling_the_secret(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        Gateway.from_url(url)
    assert "LIAISON_GATEWAY_URL" in refused.value.detail
    assert SECRET not in refused.value.detail


@pytest.mark.parametrize("sender", ["LiaisonPortal", "Liaison-247", "+3741"])
def test_a_sender_that_no_network_takes_is_named(sender: str) -> None:
    with pytest.raises(SettingsError, match="at most eleven letters") as refused:
        Gateway.from_url(f"gateway+https://key:{SECRET}@sms.example/?from={sender}")
    assert repr(sender) in refused.value.detail


def test_twilios_signature_is_the_one_of_its_own_example() -> None:
    # "Validating signatures from Twilio", the example of the documentation.
    params = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio_signature("12345", url, params.items()) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_the_check_connects_to_it() -> None:
    settings = Settings(env=Env.TEST)
    assert "no text message" in given.gateway(settings)
    with HttpSink() as sink:
        url = f"gateway+http://key:{SECRET}@127.0.0.1:{sink.port}/?from=Police"
        assert "answers; from Police" in given.gateway(replace(settings, gateway_url=url))
        production = replace(settings, gateway_url=url, env=Env.PRODUCTION)
        with pytest.raises(LiaisonError, match="can tell us nothing"):
            given.gateway(production)
    url = f"gateway+http://key:{SECRET}@127.0.0.1:{closed_port()}/?from=Police"
    with pytest.raises(LiaisonError, match="does not answer"):
        given.gateway(replace(settings, gateway_url=url))
