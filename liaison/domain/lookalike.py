"""Whether an address stands at one of an organisation's registered domains, or only looks so.

Forged requests come from domains that differ by a letter. Whatever is not registered is refused;
where it resembles a registered domain, the refusal says how the two differ. The public suffix
list and the table of confusable characters (UTS 39) are the ones shipped with their packages.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache

import idna
from confusable_homoglyphs import confusables  # type: ignore[import-untyped]
from publicsuffixlist import PublicSuffixList

from liaison.domain.addresses import institutional_email

_ALIKE = {"0": "o", "1": "l", "3": "e", "5": "s", "|": "l"}
"""Digits that are read as letters; the table holds the first two only."""

_SHORTEST = 4
"""Characters of a name below which one letter's difference says nothing."""


def check_domain(address: str, domains: Iterable[str]) -> None:
    """``ValueError`` unless the address is at one of the domains or below one.

    Free mail is refused as everywhere. Nobody is below a public suffix (``gov.uk``): its
    holders are strangers to each other.
    """
    given = _shown(institutional_email(address).rpartition("@")[2])
    registered = [_shown(domain) for domain in domains]
    if not registered:
        raise ValueError(
            "No mail domain is registered for your organisation, so nobody can be invited. "
            "Have its domains registered first."
        )
    if any(_belongs(given, own) for own in registered):
        return
    for own in registered:
        why = resemblance(given, own)
        if why:
            raise ValueError(
                f"{given} is not {own}, but resembles it: {why}. Was this address sent to you? "
                f"Then somebody may be posing as a colleague. Enter an address at {own}."
            )
    raise ValueError(
        f"{given} is no registered domain of your organisation. "
        f"Enter an address at {' or '.join(registered)}."
    )


def _belongs(given: str, own: str) -> bool:
    if given == own:
        return True
    return given.endswith(f".{own}") and _list().privatesuffix(_ascii(own)) is not None


def resemblance(given: str, own: str) -> str | None:
    """How a domain resembles a registered one that it is not; None where it does not."""
    base, name, suffix = _parts(given)
    own_base, own_name, _ = _parts(own)
    if _within(_skeleton(given), _skeleton(own)):
        return f"{own} stands at its beginning, but whoever holds {base} made it"
    if name == own_name:
        return f"the same name, but under .{suffix}"
    if _skeleton(name) == _skeleton(own_name):
        return _swapped_characters(name, own_name)
    plain, own_plain = _skeleton(name), _skeleton(own_name)
    if plain.replace("-", "") == own_plain.replace("-", ""):
        return "the hyphens differ"
    if _adds_words(plain, own_plain, _skeleton(own_base)):
        return f"it adds to the name {own_name}"
    if min(len(plain), len(own_plain)) >= _SHORTEST:
        return _one_slip(plain, own_plain, name, own_name)
    return None


def _within(given: str, own: str) -> bool:
    """Whether the registered domain stands in the given one, in front of another's."""
    return given != own and f".{own}." in f".{given}"


def _adds_words(name: str, own: str, own_base: str) -> bool:
    if len(own) < _SHORTEST:
        return own in name.split("-") and name != own
    joined = name.replace("-", "")
    return f"-{own}-" in f"-{name}-" or joined.startswith(own_base.replace(".", ""))


def _swapped_characters(name: str, own: str) -> str:
    if len(name) == len(own):
        for there, here in zip(name, own, strict=True):
            if there != here:
                kind = "" if there.isascii() else f" ({unicodedata.name(there, 'unnamed').lower()})"
                return f"“{there}”{kind} stands in place of “{here}”"
    return "other characters stand in it that look alike"


def _one_slip(plain: str, own_plain: str, name: str, own: str) -> str | None:
    """One letter more, less or other, or two neighbours that changed places."""
    start = 0
    while start < min(len(plain), len(own_plain)) and plain[start] == own_plain[start]:
        start += 1
    a, b = plain[start:], own_plain[start:]
    if a[1:] == b[1:] or a[1:] == b or a == b[1:]:
        return f"one letter differs between “{name}” and “{own}”"
    if a[:2] == b[:2][::-1] and a[2:] == b[2:]:
        return f"two letters changed places between “{name}” and “{own}”"
    return None


def _parts(domain: str) -> tuple[str, str, str]:
    """The domain that somebody registered, its name, and the suffix behind it."""
    base = _list().privatesuffix(_ascii(domain)) or _ascii(domain)
    shown = _shown(base)
    name, _, suffix = shown.partition(".")
    return shown, name, suffix


def _skeleton(text: str) -> str:
    """What the eye reads: confusable characters as the Latin ones they look like."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    read = "".join(_letter(char) for char in folded)
    return read.replace("rn", "m").replace("vv", "w")


def _letter(char: str) -> str:
    if char in _ALIKE:
        return _ALIKE[char]
    if char.isascii():
        return char
    alike = (found["c"].casefold() for found in confusables.confusables_data.get(char, ()))
    latin = next((text for text in alike if text.isascii() and text.isalnum()), None)
    bare = latin or "".join(
        part for part in unicodedata.normalize("NFD", char) if not unicodedata.combining(part)
    )
    # The table may lead to another that is read as a letter itself, or to a letter with a mark.
    return "".join(_ALIKE.get(part, part) for part in bare)


def _shown(domain: str) -> str:
    """As people read it, in lower case: ``xn--`` decoded."""
    text = domain.strip().rstrip(".").lower()
    try:
        return idna.decode(text) if "xn--" in text else text
    except idna.IDNAError:
        return text


def _ascii(domain: str) -> str:
    """As the DNS has it."""
    try:
        return idna.encode(domain).decode()
    except idna.IDNAError:
        return domain


@cache
def _list() -> PublicSuffixList:
    """The list that came with the package; nothing is fetched."""
    return PublicSuffixList()
