"""Text as the typesetter's own fonts can show it: nothing missing, nothing hidden, nothing turned.

PDF/A forbids a character without a shape, and a missing one in a name or an address would be worse
than an ugly one. What no font has, what hides or turns text (bidi controls, zero-width characters)
and what controls stands as its code: ``[U+202E]``. The signed order has it as it was written.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

WIDE = (
    "0020-007E 00A0-00AC 00AE-02AF 0384-038A 038C-038C 038E-03A1 03A3-0482 048A-04FF 0531-0556 "
    "0561-0587 05D0-05EA 0621-063A 0641-064A 0660-0669 067E-067E 0686-0686 0698-0698 06A9-06A9 "
    "06AF-06AF 06CC-06CC 06F0-06F9 10D0-10FF 1E00-1EFF 2010-2015 2018-2027 2030-203A 20A0-20C0 "
    "2116-2116 2122-2122"
)
"""Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic and Georgian letters; code points, hexadecimal.

No combining marks: what can be composed is (NFC), and the others make a shape depend on its
neighbours. Some mixtures of scripts and marks stopped the typesetter altogether.
"""

NARROW = "0020-007E 00A1-00AC 00AE-017F"
"""Latin letters: what is left where it fails on the others all the same."""

LONG, PIECE = 24, 12
"""Characters: a word that is longer may be broken, after every so many."""


def pattern(ranges: str) -> re.Pattern[str]:
    """Whatever is outside these ranges."""
    pairs = (part.split("-") for part in ranges.split())
    return re.compile("[^" + "".join(rf"\u{a}-\u{b}" for a, b in pairs) + "]")


@dataclass
class Shown:
    """Makes texts fit for one document, and remembers whether any of them had to be changed."""

    ranges: str = WIDE
    coded: bool = field(default=False, init=False)

    def text(self, said: object) -> str:
        """On one line."""
        outside = pattern(self.ranges)
        return outside.sub(self._code, unicodedata.normalize("NFC", str(said)))

    def lines(self, said: object) -> list[list[str]]:
        """Line by line, each in pieces between which it may be broken."""
        text = str(said).replace("\r\n", "\n").replace("\t", " ")
        return [self._pieces(self.text(line)) for line in text.split("\n")]

    def _code(self, found: re.Match[str]) -> str:
        self.coded = True
        return f"[U+{ord(found[0]):04X}]"

    def _pieces(self, line: str) -> list[str]:
        found = [""]
        for word in re.findall(r"\S+|\s+", line):
            if len(word) <= LONG:
                found[-1] += word
            else:
                found += [word[at : at + PIECE] for at in range(0, len(word), PIECE)] + [""]
        return [piece for piece in found if piece]
