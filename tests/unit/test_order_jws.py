"""The signed order: what is signed, whose signature counts, and what a forger tries."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from liaison.documents.order_json import canonical, fingerprint
from liaison.documents.order_jws import Keys, NotOurs, Signer, Unreadable
from liaison.errors import SettingsError
from liaison.settings import Env, Settings

ORDER = {"id": "019abc00-0000-7000-8000-000000000001", "ref": "EM-2026-0412", "facts": "Ünïcode …"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of a test installation, with keys of its own."""
    return Settings(env=Env.TEST, data_dir=tmp_path / "var").with_keys()


@pytest.fixture
def signer(settings: Settings) -> Signer:
    return Signer.from_settings(settings)


def encoded(part: bytes) -> str:
    return urlsafe_b64encode(part).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_it_is_the_canonical_json_and_any_library_checks_it(signer: Signer) -> None:
    text = signer.sign(ORDER)
    header, payload, signature = text.split(".")
    (jwk,) = signer.keys.jwks()["keys"]
    assert json.loads(decoded(header)) == {
        "alg": "EdDSA",
        "kid": jwk["kid"],
        "typ": "preservation-order+jws",
    }
    assert decoded(payload) == canonical(ORDER)
    assert not {"d", "k"} & set(jwk)
    # Not by the library that signed it.
    key = Ed25519PublicKey.from_public_bytes(decoded(jwk["x"]))
    key.verify(decoded(signature), f"{header}.{payload}".encode())
    assert signer.sign(dict(reversed(ORDER.items()))) == text


def test_a_whole_order_is_read_with_what_mail_puts_in(signer: Signer) -> None:
    # Larger than the library's own limit of 128 kB.
    order = ORDER | {
        "targets": [{"value": f"198.51.100.{n}", "relation": "x" * 900} for n in range(1000)]
    }
    text = signer.sign(order)
    wrapped = "\r\n ".join(text[at : at + 76] for at in range(0, len(text), 76))
    found = signer.keys.verify(wrapped.encode())
    assert (found.content, found.sha256, found.kid) == (order, fingerprint(order), signer.kid)


def test_whatever_is_changed_is_noticed(signer: Signer) -> None:
    header, payload, signature = signer.sign(ORDER).split(".")
    named = json.loads(decoded(header))

    def headed(**changes: Any) -> str:
        return encoded(json.dumps(named | changes).encode())

    other = encoded(canonical(ORDER | {"ref": "EM-2026-0413"}))
    forged = [
        f"{header}.{other}.{signature}",
        f"{header}.{payload}.",
        f"{header}.{payload}.{encoded(bytes(64))}",
        f"{headed(alg='none')}.{payload}.",
        f"{headed(alg='HS256')}.{payload}.{signature}",
        f"{headed(typ='JWT')}.{payload}.{signature}",
        f"{headed(kid='0')}.{payload}.{signature}",
        f"{headed(kid=[])}.{payload}.{signature}",
        f"{headed(jwk=signer.keys.jwks()['keys'][0])}.{payload}.{signature}",
    ]
    for text in forged:
        with pytest.raises(NotOurs):
            signer.keys.verify(text)
    for text in (
        "",
        "a.b.c",
        "..",
        "EM-2026-0412",
        "é" * 9,
        f"{header}.{payload}",
        "x" * 7_000_000,
    ):
        with pytest.raises(Unreadable):
            signer.keys.verify(text)
    for broken in (b"\xff\x00.\xff.\xff", encoded(b"[" * 100_000).encode() + b".e30.e30"):
        with pytest.raises((Unreadable, NotOurs)):
            signer.keys.verify(broken)


def test_what_the_key_signed_for_another_use_is_no_order(
    settings: Settings, signer: Signer
) -> None:
    key = load_pem_private_key(Path(settings.signing_key).read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    header = {"alg": "EdDSA", "kid": signer.kid, "typ": "JWT"}
    for told in (header, header | {"typ": "preservation-order+jws", "cty": "x"}):
        said = f"{encoded(json.dumps(told).encode())}.{encoded(canonical(ORDER))}"
        with pytest.raises(NotOurs, match="key and type"):
            signer.keys.verify(f"{said}.{encoded(key.sign(said.encode()))}")


def test_a_key_that_was_retired_still_counts_and_a_strange_one_never(
    settings: Settings, signer: Signer, tmp_path: Path
) -> None:
    old, kept = signer.sign(ORDER), tmp_path / "retired.json"
    kept.write_text(json.dumps(signer.keys.jwks()))
    new = Settings(env=Env.TEST, data_dir=tmp_path / "new").with_keys()
    with pytest.raises(NotOurs):
        Signer.from_settings(new).keys.verify(old)
    both = Signer.from_settings(replace(new, retired_keys=str(kept)))
    assert both.keys.verify(old).kid == signer.kid
    assert both.keys.verify(both.sign(ORDER)).kid == both.kid != signer.kid
    # What is published then is what the next exchange begins with.
    published = Keys.from_jwks(json.dumps(both.keys.jwks()))
    assert published.verify(old).content == ORDER


def test_a_key_of_another_kind_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    sealed = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    public = Ed25519PrivateKey.generate().public_key()
    good = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    file = tmp_path / "key.pem"
    for content in (b"", b"no key", sealed, public.public_bytes_raw(), good[:40]):
        file.write_bytes(content)
        with pytest.raises(SettingsError, match="LIAISON_SIGNING_KEY holds no Ed25519 key"):
            Signer.from_settings(replace(settings, signing_key=str(file)))
    file.write_bytes(good)
    Signer.from_settings(replace(settings, signing_key=str(file)))
    for text in ("", "{}", '{"keys":[{"kty":"oct","k":"AAAA"}]}'):
        file.write_text(text)
        with pytest.raises(SettingsError, match="LIAISON_RETIRED_KEYS"):
            Signer.from_settings(replace(settings, retired_keys=str(file)))
