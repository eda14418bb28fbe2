"""Secrets at rest: sealed with a key ring, the newest key first."""

from __future__ import annotations

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from liaison.errors import SettingsError
from liaison.settings import HOW_TO_MAKE


class Vault:
    """Seals with the first key, opens with any: so keys can be rotated."""

    def __init__(self, encryption_key: str) -> None:
        try:
            keys = [Fernet(key.strip()) for key in encryption_key.split(",") if key.strip()]
            self._ring = MultiFernet(keys)
            self._newest = keys[0]
        except (ValueError, IndexError):
            raise SettingsError(
                "LIAISON_ENCRYPTION_KEY holds no usable key. "
                f"Make one with: {HOW_TO_MAKE['LIAISON_ENCRYPTION_KEY']}"
            ) from None

    def seal(self, text: str) -> str:
        """The text, encrypted and authenticated."""
        return self._ring.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """What was sealed; ``SettingsError`` where no key of the ring fits."""
        return self.open_bytes(sealed.encode()).decode()

    def seal_bytes(self, content: bytes) -> bytes:
        """A file's content, encrypted and authenticated; a third larger."""
        return self._ring.encrypt(content)

    def open_bytes(self, sealed: bytes) -> bytes:
        """The content of a file that was sealed; ``SettingsError`` where no key fits."""
        try:
            return self._ring.decrypt(sealed)
        except InvalidToken:
            raise SettingsError(
                "A stored secret cannot be opened: LIAISON_ENCRYPTION_KEY is not the key it was "
                "sealed with. Add the old key behind the new one, with a comma between."
            ) from None

    def is_newest(self, sealed: str) -> bool:
        """Whether it was sealed with the newest key of the ring."""
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def can_open(self, sealed: str) -> bool:
        """Whether a key of the ring fits."""
        try:
            self._ring.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def reseal(self, sealed: str) -> str:
        """The same secret, sealed with the newest key; ``SettingsError`` where no key fits."""
        return self.seal(self.open(sealed))
