"""The CSV format of providers: what is read, what is refused, and that nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from liaison.documents import provider_csv
from liaison.domain.register_entry import ProviderEntry, read_provider
from liaison.errors import Invalid

HEADER = "name,country,time_zone,services"


def entry(**changes: object) -> ProviderEntry:
    data = {"name": "Sevan", "country": "AM", "time_zone": "Asia/Yerevan", **changes}
    return read_provider(data)


def refused(content: bytes) -> str:
    with pytest.raises(Invalid) as error:
        provider_csv.read(content)
    assert {fault.pointer for fault in error.value.errors} == {"/file"}
    return " ".join(fault.detail for fault in error.value.errors)


WORDS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp")), min_size=1, max_size=20
).filter(lambda text: bool(text.strip()))


@example(name="'=1+1", services=["''@x", "a;b"])
@example(name="''", services=["'", "\\;"])
@given(name=WORDS, services=st.lists(WORDS, max_size=5, unique=True))
def test_whatever_a_name_holds_it_is_read_as_it_was_written(name: str, services: list[str]) -> None:
    whole = entry(name=name, services=services)
    text = "".join(provider_csv.write([("an id", whole)]))
    (row,) = provider_csv.read(text.encode())
    data: dict[str, object] = {column: row.cells[column] for column in provider_csv.TEXTS}
    data |= {column: row.texts(column) for column in provider_csv.LISTS}
    assert read_provider(data) == whole
    assert row.cells["id"] == "an id"


@given(name=WORDS)
def test_no_cell_begins_as_a_formula(name: str) -> None:
    (_, line) = provider_csv.write([("", entry(name=name))])
    cells = line.rstrip("\r\n")[1:-1].split('","')
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


@pytest.mark.parametrize("quote", ["", "'"])
def test_a_formulas_apostrophe_may_stand_there_or_not(quote: str) -> None:
    content = f"name,country,time_zone,phone_prefixes\nX,AM,Asia/Yerevan,{quote}+37491\n"
    (row,) = provider_csv.read(content.encode())
    assert row.texts("phone_prefixes") == ["+37491"]


@pytest.mark.parametrize(
    "content",
    [
        b"name,country,time_zone,services\nX,AM,Asia/Yerevan,Mail;Web\n",
        "\ufeffname,country,time_zone,services\r\nX,AM,Asia/Yerevan,Mail;Web\r\n".encode(),
        b'name;country;time_zone;services\nX;AM;Asia/Yerevan;"Mail;Web"\n',
        b'sep=;\r\nname;country;time_zone;services\r\nX;AM;Asia/Yerevan;"Mail;Web"\r\n',
        "name\tcountry\ttime_zone\tservices\r\nX\tAM\tAsia/Yerevan\tMail;Web\r\n".encode("utf-16"),
        b"name,country,time_zone,services\rX,AM,Asia/Yerevan,Mail;Web\r",
        b'\n"NAME", Country ,TIME_ZONE,services,\n"X","AM","Asia/Yerevan","Mail;Web",\n\n',
    ],
    ids=["plain", "bom, crlf", "semicolons", "sep=", "utf-16, tabs", "cr", "blank lines"],
)
def test_what_spreadsheets_save_is_read(content: bytes) -> None:
    (row,) = provider_csv.read(content)
    assert row.cells["name"] == "X"
    assert row.texts("services") == ["Mail", "Web"]


def test_rows_are_counted_as_a_spreadsheet_does() -> None:
    content = f'{HEADER}\n\nA,AM,UTC,"two\nlines"\n,,,\nB,AM,UTC,\n'
    assert [row.number for row in provider_csv.read(content.encode())] == [3, 5]
    hinted = provider_csv.read(f"sep=,\n{HEADER}\nA,AM,UTC,\n".encode())
    assert [row.number for row in hinted] == [3]


def test_a_semicolon_inside_a_name_has_a_backslash_before_it() -> None:
    (row,) = provider_csv.read(f"{HEADER}\nX,AM,UTC,Mail\\; web;back\\\\slash;a\\b; ;\n".encode())
    assert row.texts("services") == ["Mail; web", "back\\slash", "a\\b"]


def test_a_row_of_another_length_is_told_and_the_rest_is_read() -> None:
    rows = provider_csv.read(
        f"{HEADER}\nX,AM,Asia/Yerevan,Mail,Web\nY,AM,UTC\nZ,AM,UTC,\n".encode()
    )
    assert ["cells" in row.fault for row in rows] == [True, True, False]
    assert "The row has 5 cells and the first row 4." in rows[0].fault


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"\r\n\r\n", "The file is empty"),
        (HEADER.encode(), "no row below it"),
        (b"PK\x03\x04rest", "This is a spreadsheet, not CSV"),
        ("name,country\n".encode("utf-16-le"), "UTF-16 without a mark"),
        (f"{HEADER}\nMéridian,AM,UTC,\n".encode("latin-1"), "Line 2 holds a character"),
        (b"name,country,time_zone,colour\nX", "“colour” is no column"),
        (b"name,name,country,time_zone\nX", "The column name stands there twice"),
        (b"name,country\nX,AM", "The column time_zone is missing"),
        (f'{HEADER}\nA,AM,UTC,\nX,AM,UTC,"open\n'.encode(), "Below row 2 a quotation mark"),
        (b"x" * (provider_csv.LARGEST + 1), "at most 10 MB"),
        (HEADER.encode() + b"\nX,AM,UTC," * (provider_csv.MOST_ROWS + 1), "at most 20,000 rows"),
    ],
)
def test_what_is_no_such_file_is_refused_with_a_line_that_helps(content: bytes, words: str) -> None:
    assert words in refused(content)
