"""What may stand as a person's name."""

from __future__ import annotations

import pytest

from liaison.domain.addresses import LONGEST_NAME, person_name


@pytest.mark.parametrize(
    "name",
    ["Anahit Petrosyan", "Նաիրա Սարգսյան", "Seán Ó Briain-Walsh", "李 雷", "x" * LONGEST_NAME],
)
def test_names_of_people_are_taken(name: str) -> None:
    assert person_name(f"  {name} ") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "x" * (LONGEST_NAME + 1),
        "Anna \u202erosivrepuS\u202c",
        "Anna\nBcc: x",
        "An\u200bna",
        "Anna\x00",
        "Anna\ud800",
    ],
)
def test_a_name_that_passes_for_another_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        person_name(name)
