"""The order as it was served, signed: a JWS in compact form (RFC 7515) over its canonical JSON.

Signed by EdDSA with Ed25519 (RFC 8037). The header names the algorithm, the key (``kid``, its
thumbprint by RFC 7638) and the type; the payload is, byte for byte, what the order's fingerprint
was taken of. An Ed25519 signature is the same each time, and what was served never changes: the
order is signed whenever it is asked for, and each time it is the same file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import OKPKey

from liaison.documents.order_json import canonical
from liaison.errors import SettingsError
from liaison.settings import HOW_TO_MAKE, Settings

ALGORITHM, CURVE, TYPE = "EdDSA", "Ed25519", "preservation-order+jws"
MEDIA_TYPE = "application/jose"

LARGEST = 6 * 1024 * 1024
"""Bytes of a signed order: as large a request as the portal reads, in base64."""


class Unreadable(ValueError):
    """The text is no signed order of any kind."""


class NotOurs(ValueError):
    """It is signed by a key that is none of these, or its content was changed afterwards."""


class _Registry(jws.JWSRegistry):
    """One algorithm, and orders as large as they come.

    RFC 9864 calls it ``Ed25519``; ``EdDSA`` is the name that every library in use verifies.
    """

    max_payload_length = max_signature_length = LARGEST

    def get_alg(self, name: str) -> Any:
        """EdDSA, and nothing that a header could talk us into."""
        if name != ALGORITHM:
            raise UnsupportedAlgorithmError(f"{name} is none of ours")
        return self.algorithms[ALGORITHM]


_REGISTRY = _Registry()


@dataclass(frozen=True)
class Signed:
    """A signed order whose signature is good."""

    content: dict[str, Any]
    sha256: str
    """The order's fingerprint."""
    kid: str


class Keys:
    """Public keys whose signatures count, by their thumbprints."""

    def __init__(self, *keys: OKPKey) -> None:
        self._keys = {key.thumbprint(): key for key in keys}

    @classmethod
    def from_jwks(cls, text: str | bytes) -> Keys:
        """Those of a JWK set (RFC 7517), as ``/.well-known/jwks.json`` has it; else ValueError."""
        try:
            found = [OKPKey.import_key(key) for key in json.loads(text)["keys"]]
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError("no JWK set of Ed25519 keys") from error
        if any(key.curve_name != CURVE for key in found):
            raise ValueError("a key is of another curve than Ed25519")
        return cls(*found)

    def and_those_of(self, other: Keys) -> Keys:
        """Both."""
        return Keys(*self._keys.values(), *other._keys.values())

    def jwks(self) -> dict[str, Any]:
        """The JWK set: public parts only."""
        return {
            "keys": [
                {**key.as_dict(private=False), "kid": kid, "alg": ALGORITHM, "use": "sig"}
                for kid, key in self._keys.items()
            ]
        }

    def verify(self, text: str | bytes) -> Signed:
        """What was signed. ``Unreadable``, or ``NotOurs`` where the signature is none of these.

        Line breaks and blanks are left out: mail and people put them in.
        """
        raw = text.encode("ascii", "replace") if isinstance(text, str) else text
        raw = b"".join(raw.split())
        if len(raw) > LARGEST:
            raise Unreadable("it is larger than any order")
        try:
            found = jws.extract_compact(raw, registry=_REGISTRY)
            header = dict(found.headers())
        except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise Unreadable("it is no JWS in compact form") from error
        kid = str(header.get("kid"))
        key = self._keys.get(kid)
        if key is None or header != _header(kid):
            raise NotOurs("it names no key and type of ours")
        try:
            good = jws.validate_compact(found, key, registry=_REGISTRY)
        except (JoseError, ValueError, TypeError):
            good = False
        if not good:
            raise NotOurs("its signature does not fit")
        sha256 = hashlib.sha256(found.payload).hexdigest()
        return Signed(json.loads(found.payload), sha256, kid)


class Signer:
    """The installation's signing key, read once, and the keys that signed before it."""

    def __init__(self, key: OKPKey, retired: Keys | None = None) -> None:
        self._key = key
        self.kid = key.thumbprint()
        public = Keys(OKPKey.import_key(key.as_dict(private=False)))
        self.keys = public.and_those_of(retired) if retired else public

    @classmethod
    def from_settings(cls, settings: Settings) -> Signer:
        """By ``LIAISON_SIGNING_KEY`` and ``LIAISON_RETIRED_KEYS``; else ``SettingsError``."""
        return cls(_private(settings.signing_key), _retired(settings.retired_keys))

    def sign(self, content: Mapping[str, Any]) -> str:
        """The signed order, one line of ASCII."""
        return jws.serialize_compact(
            _header(self.kid), canonical(content), self._key, registry=_REGISTRY
        )


def _header(kid: str) -> dict[str, str]:
    return {"alg": ALGORITHM, "kid": kid, "typ": TYPE}


def _private(file: str) -> OKPKey:
    try:
        key = OKPKey.import_key(Path(file).read_bytes())
        usable = key.is_private and key.curve_name == CURVE
    except (JoseError, OSError, ValueError, TypeError):
        usable = False
    if not usable:
        raise SettingsError(
            "LIAISON_SIGNING_KEY holds no Ed25519 key in PEM without a password. "
            f"Make one with: {HOW_TO_MAKE['LIAISON_SIGNING_KEY']}"
        )
    return key


def _retired(file: str) -> Keys | None:
    if not file:
        return None
    try:
        return Keys.from_jwks(Path(file).read_bytes())
    except (OSError, ValueError):
        raise SettingsError(
            "LIAISON_RETIRED_KEYS names no file with a JWK set of Ed25519 keys. Save "
            "/.well-known/jwks.json before the signing key is exchanged, and name that file."
        ) from None
