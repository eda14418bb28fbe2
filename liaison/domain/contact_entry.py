"""A contact as it is entered: whom to reach, for what, by which ways, until when it is trusted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import phonenumbers

from liaison.domain.addresses import institutional_email, person_name, phone_number
from liaison.domain.lookalike import check_domain, resemblance
from liaison.domain.reading import Faults, unstorable
from liaison.domain.terms_words import ways
from liaison.domain.vocabulary import PERSONAL, Channel, Function
from liaison.errors import Invalid

AUTHORITY_FUNCTIONS = (Function.DUTY_OFFICER, Function.SUPERVISOR)
PROVIDER_FUNCTIONS = tuple(f for f in Function if f not in AUTHORITY_FUNCTIONS)

REVIEW_AFTER, REVIEW_AT_MOST = timedelta(days=180), timedelta(days=366)
"""When an entry is to be looked at again: by itself, and at the latest."""

LONGEST_EMAIL, LONGEST_PHONE, MOST_LANGUAGES = 254, 40, 10

GUARDED = ("email", "phone", "function", "channels")
"""What decides whom a ladder reaches. Of a contact in use, a change of these waits."""

WAYS = ("email", "phone")
"""What a code verifies."""

FIELDS = {
    "email": "the e-mail address",
    "phone": "the phone number",
    "function": "the function",
    "channels": "the ways to reach them",
}

_LANGUAGE = re.compile(r"[a-z]{2,3}", re.ASCII)


@dataclass(frozen=True)
class ContactEntry:
    """A contact, read and in normal form."""

    name: str
    function: Function
    languages: tuple[str, ...]
    email: str
    phone: str
    channels: tuple[Channel, ...]
    review_on: date

    def guarded(self) -> dict[str, Any]:
        """What decides whom a ladder reaches, as a change keeps it."""
        return {
            "email": self.email,
            "phone": self.phone,
            "function": self.function.value,
            "channels": [channel.value for channel in self.channels],
        }


def read(
    given: Mapping[str, Any], functions: Sequence[Function], domains: Iterable[str], today: date
) -> ContactEntry:
    """The entry that was given; ``Invalid`` names every fault at once.

    ``functions``: those that its organisation can have. ``domains``: the organisation's own. An
    address elsewhere is allowed, for another company may run the operations centre; one that only
    looks like the organisation's own is not.
    """
    faults = Faults()
    name = _one(faults, "name", given, person_name)
    email = _one(faults, "email", given, lambda text: _address(text, domains), LONGEST_EMAIL)
    phone = _one(faults, "phone", given, phone_number, LONGEST_PHONE)
    function = _function(faults, given, functions)
    languages = _languages(faults, given)
    channels = _channels(faults, given)
    review_on = _review_on(faults, given, today)
    if faults.found or function is None or review_on is None:
        raise Invalid(faults.found)
    return ContactEntry(name, function, languages, email, phone, channels, review_on)


def described(values: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """What changes, for a letter: numbers and addresses are masked, yet can be recognised."""
    if values.get("removed"):
        return ["the whole entry: it is removed"]
    return [
        f"{FIELDS[name]}, from {masked(name, old[name])} to {masked(name, values[name])}"
        for name in GUARDED
        if name in values
    ]


def masked(field: str, value: Any) -> str:
    """``+374 •••• 42``, ``d•••@police.example``; what is no secret is told in words."""
    if field == "phone":
        return _masked_number(str(value))
    if field == "email":
        mailbox, _, domain = str(value).rpartition("@")
        return f"{mailbox[:1]}•••@{domain}"
    return in_words(field, value)


def in_words(field: str, value: Any) -> str:
    """A guarded value as people read it."""
    if field == "function":
        return Function(value).label
    if field == "channels":
        return ways(map(Channel, value))
    return str(value)


def _masked_number(number: str) -> str:
    try:
        code = f"+{phonenumbers.parse(number).country_code}"
    except phonenumbers.NumberParseException:
        code = number[:3]
    return f"{code} •••• {number[-2:]}"


def _one(
    faults: Faults, field: str, given: Mapping[str, Any], reader: Any, longest: int = 200
) -> str:
    text = str(given.get(field) or "")
    if len(text) > longest:
        faults.add(f"/{field}", f"Write at most {longest} characters; there are {len(text)}.")
        return ""
    if unstorable(text):
        faults.add(f"/{field}", "Remove the NUL character or broken character from this text.")
        return ""
    try:
        return str(reader(text))
    except ValueError as error:
        faults.add(f"/{field}", str(error))
        return ""


def _address(text: str, domains: Iterable[str]) -> str:
    address = institutional_email(text)
    known = list(domains)
    try:
        check_domain(address, known)
    except ValueError:
        given = address.rpartition("@")[2]
        for own in known:
            if why := resemblance(given, own):
                raise ValueError(
                    f"{given} is not {own}, but resembles it: {why}. Enter an address at {own}. "
                    f"If {given} is the organisation’s too, have it registered first."
                ) from None
    return address


def _function(
    faults: Faults, given: Mapping[str, Any], functions: Sequence[Function]
) -> Function | None:
    found = next((f for f in functions if f.value == given.get("function")), None)
    if found is None:
        faults.add("/function", f"Choose one of: {', '.join(f.label for f in functions)}.")
    return found


def _languages(faults: Faults, given: Mapping[str, Any]) -> tuple[str, ...]:
    text = given.get("languages") or ""
    parts = re.split(r"[\s,;]+", text[:400]) if isinstance(text, str) else map(str, text)
    codes = tuple(dict.fromkeys(part.lower() for part in parts if part))
    if not codes:
        faults.add("/languages", "Enter at least one language by its code, like en.")
    elif len(codes) > MOST_LANGUAGES:
        faults.add("/languages", f"Enter at most {MOST_LANGUAGES} languages.")
    elif not all(_LANGUAGE.fullmatch(code) for code in codes):
        faults.add("/languages", "Enter codes of two letters (ISO 639-1), like: hy, en, ru.")
    return codes


def _channels(faults: Faults, given: Mapping[str, Any]) -> tuple[Channel, ...]:
    wanted = {str(value) for value in given.get("channels") or ()}
    known = {channel.value for channel in PERSONAL}
    if not wanted or not wanted <= known:
        faults.add("/channels", f"Choose at least one way: {ways(PERSONAL, 'or')}.")
        return ()
    return tuple(channel for channel in PERSONAL if channel.value in wanted)


def _review_on(faults: Faults, given: Mapping[str, Any], today: date) -> date | None:
    text = str(given.get("review_on") or "").strip()
    if not text:
        return today + REVIEW_AFTER
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        faults.add("/review_on", "Enter a date like 2027-05-22.")
        return None
    if not today < day <= today + REVIEW_AT_MOST:
        last = (today + REVIEW_AT_MOST).isoformat()
        faults.add("/review_on", f"Choose a day after today, {last} at the latest.")
        return None
    return day
