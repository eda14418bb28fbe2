"""The files that may go with a message: how many, how large, and what their content must be.

What a file is follows from its bytes; its name is only ever shown. Nothing that runs or draws
itself in a browser or an office program is taken: no HTML, SVG, office file or archive. A file
that is two things at once (an image that is an archive, too) is refused.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from liaison.domain.reading import unstorable
from liaison.errors import FieldError, Invalid

MB = 1024 * 1024
MOST, LARGEST, TOGETHER = 10, 10 * MB, 25 * MB
"""Files of one message; bytes of one file, and of all of one message."""

LONGEST_NAME = 200
"""Characters of a file's name."""

PDF, PNG, JPEG = "application/pdf", "image/png", "image/jpeg"
PLAIN, CSV, JSON = "text/plain", "text/csv", "application/json"

ENDINGS = {
    PDF: (".pdf",),
    PNG: (".png",),
    JPEG: (".jpg", ".jpeg"),
    PLAIN: (".txt", ".log", ".md", ".eml"),
    CSV: (".csv",),
    JSON: (".json",),
}
"""How the name of a saved file may end; the first is given to one that ends in another way."""

LABELS = {PDF: "PDF", PNG: "PNG", JPEG: "JPEG", PLAIN: "text", CSV: "CSV", JSON: "JSON"}

TAKEN = "PDF, PNG, JPEG, or text, CSV or JSON in UTF-8"


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Accepted:
    """A file that may be stored; ``media_type`` was found from its content."""

    name: str
    content: bytes
    media_type: str
    sha256: str


def accept(files: Sequence[Upload]) -> tuple[Accepted, ...]:
    """The files of one message as they may be stored; ``Invalid`` names every fault.

    The pointer of a fault is ``/attachments``, or ``/attachments/N`` where one file has it.
    """
    if len(files) > MOST:
        raise _refused("/attachments", f"Choose at most {MOST} files; there are {len(files)}.")
    if sum(len(file.content) for file in files) > TOGETHER:
        raise _refused("/attachments", f"Choose files of at most {TOGETHER // MB} MB together.")
    faults: list[FieldError] = []
    taken = []
    for number, file in enumerate(files):
        at, name = f"/attachments/{number}", file.name.strip() or f"file {number + 1}"
        found = _name_fault(name) or media_type(name, file.content)
        if isinstance(found, _Fault):
            faults.append(FieldError(at, f"“{shown(name)}”: {found.detail}"))
            continue
        digest = hashlib.sha256(file.content).hexdigest()
        taken.append(Accepted(name, file.content, found, digest))
    if faults:
        raise Invalid(faults)
    return tuple(taken)


@dataclass(frozen=True)
class _Fault:
    detail: str


def _refused(pointer: str, detail: str) -> Invalid:
    return Invalid([FieldError(pointer, detail)])


def _name_fault(name: str) -> _Fault | None:
    if unstorable(name):
        return _Fault("the file's name holds a broken character. Rename it.")
    if len(name) > LONGEST_NAME:
        return _Fault(f"the file's name is longer than {LONGEST_NAME} characters. Rename it.")
    return None


def media_type(name: str, content: bytes) -> str | _Fault:
    """What the bytes are; the name only tells a table from other text."""
    if not content:
        return _Fault("the file is empty.")
    if len(content) > LARGEST:
        return _Fault(f"the file is larger than {LARGEST // MB} MB.")
    for begins, check in _KINDS:
        if content.startswith(begins):
            return check(content)
    return _text(name, content)


_OTHER = _Fault(f"this is none of the types that are taken: {TAKEN}.")
_TWO = _Fault("this file is two things at once. Save or print it anew and send that.")
_ACTIVE = _Fault("this PDF carries a program or another file. Print it to a new PDF and send that.")
_BROKEN = _Fault("the file is damaged or incomplete. Save it anew and send that.")
_MARKUP = _Fault("web pages and drawings (HTML, SVG, XML) are not taken. Send it as a PDF.")

_ARCHIVE_END = b"PK\x05\x06"
_ARCHIVE_TAIL = 22 + 65_535
"""Bytes at a file's end in which an archive says that it is one (ZIP, 4.3.16)."""


def _is_archive(content: bytes) -> bool:
    return _ARCHIVE_END in content[-_ARCHIVE_TAIL:]


def _names(*names: str) -> re.Pattern[bytes]:
    """Finds these names of a PDF, each letter plain or as ``#xx`` (ISO 32000, 7.3.5)."""
    firsts = "".join(name[0] for name in names)
    spelled = "|".join("".join(f"(?:{c}|#(?i:{ord(c):x}))" for c in name) for name in names)
    return re.compile(f"/(?=[{firsts}#])(?:{spelled})(?![A-Za-z0-9])".encode())


_ACTS = _names("JavaScript", "Launch", "RichMedia", "EmbeddedFile", "EmbeddedFiles", "XFA")
_SCRIPT, _BEGINS_IT = _names("JS"), _names("OpenAction", "Rendition")


def _pdf(content: bytes) -> str | _Fault:
    end = content.rfind(b"%%EOF")
    if end < 0:
        return _BROKEN
    if _is_archive(content) or content[end + 5 :].strip(b"\r\n \t\x00"):
        return _TWO
    # In all its bytes: what looks like a stream's content need not be one to every reader. The
    # two letters alone stand in compressed content by chance. Compressed objects are not opened.
    acts = _ACTS.search(content) or (_SCRIPT.search(content) and _BEGINS_IT.search(content))
    return _ACTIVE if acts else PDF


def _png(content: bytes) -> str | _Fault:
    """Chunk after chunk: the last is IEND, and nothing stands behind it (PNG, 5.3)."""
    at = 8
    while at + 12 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        at += 12 + length
        if kind == b"IEND":
            return PNG if at == len(content) else _TWO if at < len(content) else _BROKEN
    return _BROKEN


def _jpeg(content: bytes) -> str | _Fault:
    end = content.rfind(b"\xff\xd9")
    if end < 0:
        return _BROKEN
    # Some cameras fill up with zeros.
    return _TWO if _is_archive(content) or content[end + 2 :].strip(b"\x00") else JPEG


_KINDS = (
    (b"%PDF-", _pdf),
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"\xff\xd8\xff", _jpeg),
)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_BEGINS_AS_MARKUP = re.compile(r"\s*<(\?xml|!doctype|!--|/?[a-z][a-z0-9:-]*[\s>/])", re.IGNORECASE)


def _text(name: str, content: bytes) -> str | _Fault:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        return _Fault("save this text in UTF-8, then send it.") if wide else _OTHER
    if _CONTROL.search(text):
        return _OTHER
    if _BEGINS_AS_MARKUP.match(text):
        return _MARKUP
    if _is_json(text):
        return JSON
    return CSV if name.lower().endswith(".csv") and _is_table(text) else PLAIN


def _is_json(text: str) -> bool:
    """An object or a list: a lone number or word is a text like any other."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_table(text: str) -> bool:
    first = text.splitlines()[:1]
    try:
        return any(len(next(csv.reader(first, delimiter=d), [])) > 1 for d in ",;\t")
    except csv.Error:
        return False


def shown(name: str) -> str:
    """A name that can stand within a sentence: no control characters, none that turn the line."""
    return "".join(c for c in name if not unicodedata.category(c).startswith("C"))


_FORBIDDEN = re.compile(r'[<>:"/\\|?*%;]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)", re.IGNORECASE)


def save_as(name: str, media_type_: str) -> str:
    """The name under which a browser is to save a file: no path, no device, an honest ending."""
    plain = _FORBIDDEN.sub("_", shown(re.split(r"[/\\]", name)[-1])).strip(" .")
    ending = next((e for e in ENDINGS[media_type_] if plain.lower().endswith(e)), "")
    stem = plain[: len(plain) - len(ending)][:100].strip(" .") or "file"
    if _DEVICES.fullmatch(stem.partition(".")[0]):
        stem = f"_{stem}"
    return stem + (ending or ENDINGS[media_type_][0])
