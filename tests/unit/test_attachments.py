"""What a file is follows from its bytes, whatever it is called; nothing active is taken."""

from __future__ import annotations

import io
import zipfile
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.domain import attachments as rules
from liaison.domain.attachments import CSV, JPEG, JSON, MB, PDF, PLAIN, PNG, Upload, accept, save_as
from liaison.errors import Invalid
from tests import threads


def zipped() -> bytes:
    """An archive."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("run.js", "alert(1)")
    return held.getvalue()


def kind(content: bytes, name: str = "x") -> str:
    """The type under which one file is taken."""
    return accept([Upload(name, content)])[0].media_type


def refusal(*files: Upload) -> list[tuple[str, str]]:
    """Why files are not taken: pointer and words."""
    with pytest.raises(Invalid) as caught:
        accept(files)
    return [(error.pointer, error.detail) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("content", "name", "found"),
    [
        (threads.PDF, "a.txt", PDF),
        (threads.PDF + b"\r\n", "a.pdf", PDF),
        (threads.PNG, "a.html", PNG),
        (threads.JPEG, "a.png", JPEG),
        (threads.JPEG + bytes(40), "a.jpg", JPEG),
        (b"line\n", "a.pdf", PLAIN),
        ("﻿Երևան\tline\r\n".encode(), "a", PLAIN),
        (b"time;address\n1;2\n", "a.CSV", CSV),
        (b"no table at all\n", "a.csv", PLAIN),
        (b'{"a": [1]}', "a.txt", JSON),
        (b'{"a": [1]', "a.json", PLAIN),
        (b"[" * 100_000, "deep.json", PLAIN),
        (b"42", "a.json", PLAIN),
        (b"a < b and <b>c</b>", "a.txt", PLAIN),
        (b"\x1b[31mred\x1b[0m", "log.txt", PLAIN),
    ],
)
def test_the_content_says_what_a_file_is(content: bytes, name: str, found: str) -> None:
    assert kind(content, name) == found


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"x" * (10 * MB + 1), "larger than 10 MB"),
        (zipped(), "none of the types"),
        (b"MZ\x90\x00", "none of the types"),
        (b"GIF89a\x01\x00", "none of the types"),
        (b"\x00\x01\x02", "none of the types"),
        (b"a\x00b", "none of the types"),
        ("text".encode("utf-16"), "in UTF-8"),
        (b"<!DOCTYPE html><p>", "HTML"),
        (b"\xef\xbb\xbf \n<HTML>", "HTML"),
        (b"<svg onload='x()'>", "HTML"),
        (b"<?xml version='1.0'?>", "HTML"),
        (b"<script>alert(1)</script>", "HTML"),
        (b"%PDF-1.7\nno end", "damaged"),
        (threads.PDF + zipped(), "two things"),
        (threads.PDF[:-6] + zipped() + b"\n%%EOF\n", "two things"),
        (threads.JPEG[:-2] + zipped() + b"\xff\xd9", "two things"),
        (threads.PDF + b"<script>", "two things"),
        (
            threads.PDF.replace(b"/Root", b"/OpenAction << /S /JavaScript /JS (x) >> /Root"),
            "program",
        ),
        (threads.PDF.replace(b"/Root", b"/AA << /S /J#61vaScript >> /Root"), "program"),
        (threads.PDF.replace(b"/Root", b"/A << /S /Launch >> /Root"), "program"),
        (threads.PNG + zipped(), "two things"),
        (threads.PNG + b"<?php", "two things"),
        (threads.PNG[:-4], "damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 40, "damaged"),
        (threads.JPEG + zipped(), "two things"),
        (threads.JPEG + b"<html>", "two things"),
        (threads.JPEG[:-2], "damaged"),
    ],
)
def test_what_is_not_taken_is_told_why(content: bytes, words: str) -> None:
    ((pointer, detail),) = refusal(Upload("file.bin", content))
    assert pointer == "/attachments/0"
    assert words in detail
    assert "file.bin" in detail


@pytest.mark.parametrize(
    "around", [(b"% stream\n", b"% endstream\n"), (b"stream\n", b"endstream\n")]
)
@pytest.mark.parametrize(
    "program",
    [
        b"/OpenAction << /S /JavaScript >> ",
        b"/OpenAction 3 0 R /#4a#53 (x) ",
        b"/S /Rendition /JS (x) ",
        b"/S /La#75nch ",
        b"/Type /EmbeddedFile ",
        b"/Names << /EmbeddedFiles 3 0 R >> ",
        b"/AcroForm << /XF#41 3 0 R >> ",
    ],
)
def test_a_program_within_what_looks_like_a_stream_is_seen(
    around: tuple[bytes, bytes], program: bytes
) -> None:
    begins, ends = around
    text = threads.PDF.replace(b"trailer", begins + program + b"\n" + ends + b"trailer")
    assert "program" in refusal(Upload("a.pdf", text))[0][1]


@pytest.mark.parametrize(
    "harmless", [b"/JS ", b"/OpenAction 3 0 R ", b"/JavaScripts ", b"/XFAR ", b"JavaScript"]
)
def test_letters_that_stand_there_by_chance_are_content(harmless: bytes) -> None:
    text = threads.PDF.replace(b"trailer", b"stream\n" + harmless + b"\nendstream\ntrailer")
    assert kind(text) == PDF


@pytest.mark.parametrize("begun", [b"stream\n", b"/", b"/J", b"/#4a", b"/JavaScrip "])
def test_a_pdf_is_read_through_once_whatever_it_begins_and_does_not_end(begun: bytes) -> None:
    text = b"%PDF-1.4\n" + begun * (200_000 // len(begun)) + b"%%EOF"
    started = process_time()
    assert kind(text) == PDF
    assert process_time() - started < 5


def test_too_many_files_and_too_much_together() -> None:
    small = Upload("a", b"a")
    assert len(accept([small] * 10)) == 10
    assert "at most 10 files; there are 11" in refusal(*[small] * 11)[0][1]
    half = Upload("b", b"b" * (9 * MB))
    assert "at most 25 MB together" in refusal(half, half, half)[0][1]


def test_every_faulty_file_is_named() -> None:
    found = refusal(Upload("a", b""), Upload("b", b"b"), Upload("c", b"\x00"))
    assert [pointer for pointer, _ in found] == ["/attachments/0", "/attachments/2"]


@pytest.mark.parametrize("name", ["nul\x00.txt", "half\ud800", "n" * 201])
def test_a_name_that_cannot_be_kept(name: str) -> None:
    assert "name" in refusal(Upload(name, b"a"))[0][1]


@pytest.mark.parametrize(
    ("name", "kind_", "saved"),
    [
        ("log.txt", PLAIN, "log.txt"),
        ("log.TXT", PLAIN, "log.txt"),
        ("../../etc/passwd", PLAIN, "passwd.txt"),
        ("C:\\Users\\x\\report.pdf", PDF, "report.pdf"),
        ("invoice.pdf.exe", PDF, "invoice.pdf.exe.pdf"),
        ("page.html", PLAIN, "page.html.txt"),
        ("photo\u202egpj.exe", JPEG, "photogpj.exe.jpg"),
        ('a"; filename="b.exe', PLAIN, "a__ filename=_b.exe.txt"),
        ("line\r\nSet-Cookie: x", PLAIN, "lineSet-Cookie_ x.txt"),
        ("nul", PLAIN, "_nul.txt"),
        ("...", PNG, "file.png"),
        (".csv", CSV, "csv.csv"),
        ("Երևան.json", JSON, "Երևան.json"),
    ],
)
def test_the_name_under_which_it_is_saved(name: str, kind_: str, saved: str) -> None:
    # A lone ending keeps its case out of the name; the stem stays as it was.
    assert save_as(name, kind_).lower() == saved.lower()


@given(st.text(max_size=300), st.sampled_from(sorted(rules.ENDINGS)))
def test_no_saved_name_is_a_path_or_lies(name: str, kind_: str) -> None:
    saved = save_as(name, kind_)
    assert not set(saved) & set('/\\:"<>|?*%;\r\n\x00\u202e')
    assert saved.lower().endswith(rules.ENDINGS[kind_])
    assert len(saved) <= 110
    assert not saved.startswith((".", " "))


@given(st.binary(max_size=400), st.text(max_size=20))
def test_whatever_comes_is_taken_or_refused_in_words(content: bytes, name: str) -> None:
    try:
        (taken,) = accept([Upload(name, content)])
    except Invalid as refused:
        words = [error.detail for error in refused.errors]
    else:
        words = [taken.media_type] if taken.media_type in rules.ENDINGS else []
    assert all(words)
    assert words
