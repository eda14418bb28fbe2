"""What a password must be: 12 to 128 characters, and none that is guessed first.

No rule about kinds of characters (NIST SP 800-63B-4, OWASP ASVS 5.0 6.2): they make passwords
worse. What is refused is a password that is made of common words, the person's own name and
address, walks over the keyboard, years and repeats, and of nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from liaison.domain.common_passwords import WALKS, WORDS

SHORTEST, LONGEST = 12, 128
"""Characters."""

LENGTH = f"A password has {SHORTEST} to {LONGEST} characters."
GUESSED = (
    "This password is guessed early: it is made of common words, names, years or keys that lie "
    "side by side. Take three or four words that have nothing to do with each other, or let a "
    "password manager make one."
)

_LEAST_OWN = 3
"""Letters of a name or address that count as one's own word."""
_FEW = 4
"""Characters that may stand between without making a password hard to guess."""
_SHORTEST_WALK = 3

_READ_AS = str.maketrans("@$!013457", "asioleast")
"""Signs and digits that are typed for the letters they look like."""

_BLOCKS = re.compile(r"(.{1,6}?)\1{2,}.{0,4}", re.DOTALL)
"""``121212121212``: a few characters over and over."""

_WALKS = (*WALKS, *(walk[::-1] for walk in WALKS))


def fault(password: str, own: Iterable[str] = ()) -> str | None:
    """What is wrong with a password; None where it will do.

    ``own``: the person's name, address, organisation, as they are written.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        return LENGTH
    return GUESSED if _is_guessed(password, own) else None


def _is_guessed(password: str, own: Iterable[str]) -> bool:
    text = unicodedata.normalize("NFKC", password).casefold()
    words = WORDS | _words_of(own)
    longest = max(map(len, words))
    if _BLOCKS.fullmatch(text):
        return True
    # cheapest[i]: how many characters of the first i belong to nothing that is guessed.
    cheapest = [0] + [len(text)] * len(text)
    for start in range(len(text)):
        free = _free_to(text, start, words, longest)
        for end in free:
            cheapest[end] = min(cheapest[end], cheapest[start])
        alone = cheapest[start] + (not _is_sign(text[start]))
        cheapest[start + 1] = min(cheapest[start + 1], alone)
    return cheapest[-1] <= _FEW


def _is_sign(char: str) -> bool:
    return not char.isalnum()


def _free_to(text: str, start: int, words: frozenset[str], longest: int) -> set[int]:
    """Where something that is guessed and begins here may end."""
    found = set()
    for end in range(start + 2, min(len(text), start + longest) + 1):
        piece = text[start:end]
        if piece in words or piece.translate(_READ_AS) in words:
            found.add(end)
    if year := re.match(r"(19|20)\d\d", text[start:]):
        found.add(start + year.end())
    found.update(range(start + _SHORTEST_WALK, _walked_to(text, start) + 1))
    repeated = len(text) - start - len(text[start:].lstrip(text[start]))
    found.update(range(start + _SHORTEST_WALK, start + repeated + 1))
    return found


def _walked_to(text: str, start: int) -> int:
    """How far a walk over keyboard, alphabet or numbers goes that begins here."""
    end = start + _SHORTEST_WALK
    while end <= len(text) and any(text[start:end] in walk for walk in _WALKS):
        end += 1
    return end - 1


def _words_of(own: Iterable[str]) -> frozenset[str]:
    parts = set()
    for text in own:
        folded = unicodedata.normalize("NFKC", text).casefold()
        parts.update(re.split(r"[\W_\d]+", folded))
    return frozenset(part for part in parts if len(part) >= _LEAST_OWN)
