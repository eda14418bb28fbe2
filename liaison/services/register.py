"""The register: authorities, providers, their contacts and memoranda."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain import addresses
from liaison.errors import FieldError, Invalid
from liaison.models import Authority


def first_authority(
    session: Session, code: str, name: str, country: str, time_zone: str, phone: str, email: str
) -> Authority:
    """The authority with this code; registered now where it is new."""
    code = code.strip().upper()
    found = session.scalars(select(Authority).where(Authority.code == code)).one_or_none()
    if found is not None:
        return found
    faults = []
    if not re.fullmatch(r"[A-Z][A-Z0-9]{1,9}", code):
        faults.append(FieldError("/authority", "A code has 2 to 10 letters or digits, like CP."))
    if not name.strip():
        detail = f"{code} is not registered yet: give --authority-name, --country and --phone."
        faults.append(FieldError("/authority_name", detail))
    if not re.fullmatch(r"[A-Za-z]{2}", country):
        faults.append(FieldError("/country", "Give the country's code, two letters."))
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(FieldError("/time_zone", "Give a zone like Europe/Amsterdam."))
    try:
        phone = addresses.phone_number(phone)
    except ValueError as error:
        faults.append(FieldError("/phone", str(error)))
    if faults:
        raise Invalid(faults)
    authority = Authority(
        code=code,
        name=name.strip(),
        country=country.upper(),
        time_zone=time_zone,
        phone=phone,
        email=email.strip().lower(),
        # Whom its administrators may invite: people at the address it was registered with.
        domains=[email.strip().lower().rpartition("@")[2]],
    )
    session.add(authority)
    session.flush()
    return authority
