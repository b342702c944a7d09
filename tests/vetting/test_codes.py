"""Invitation codes can be typed by people and guessed by nobody."""

from __future__ import annotations

import re

import pytest

from helpouts.vetting import codes

SYMBOLS = "7Q4MK2XR9PTD03WV"
WRITTEN = "HELP-7Q4M-K2XR-9PTD-03WV"


def test_a_new_code_has_the_form_that_people_are_told() -> None:
    for _ in range(200):
        code = codes.new_code()
        assert re.fullmatch(r"HELP(-[0-9A-HJKMNP-TV-Z]{4}){4}", code), code


def test_codes_carry_80_bits() -> None:
    assert len(set(codes.ALPHABET)) ** codes.LENGTH >= 2**80


def test_codes_do_not_repeat_and_use_the_whole_alphabet() -> None:
    found = [codes.new_code() for _ in range(500)]
    assert len(set(found)) == 500
    assert set("".join(code.removeprefix("HELP") for code in found)) == {*codes.ALPHABET, "-"}


@pytest.mark.parametrize(
    "typed",
    [
        WRITTEN,
        WRITTEN.lower(),
        SYMBOLS,
        " help 7q4m k2xr 9ptd 03wv ",
        WRITTEN.replace("-", "–"),
        WRITTEN.replace("0", "O"),
        WRITTEN.replace("0", "o"),
        f"{WRITTEN}.",
        f"\t{WRITTEN}\n",
    ],
)
def test_what_people_type_is_understood(typed: str) -> None:
    assert codes.normalize(typed) == SYMBOLS


def test_letters_that_look_like_a_one_are_a_one() -> None:
    assert codes.normalize("HELP-I1L1-0000-0000-0000") == "1111000000000000"


@pytest.mark.parametrize(
    "typed",
    ["", "HELP", WRITTEN[:-1], WRITTEN + "0", WRITTEN.replace("Q", "U"), "ﬀ" * 16, "٠" * 16, "help me please, now"],
)
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert codes.normalize(typed) is None


def test_a_code_that_begins_with_the_letters_of_the_prefix_is_not_cut() -> None:
    assert codes.normalize("HE1P" + "0" * 12) == "HE1P" + "0" * 12


def test_the_digest_does_not_tell_the_code() -> None:
    assert SYMBOLS not in codes.digest(SYMBOLS)
    assert len(codes.digest(SYMBOLS)) == 64
