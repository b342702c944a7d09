"""The demo's drawn portraits."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from helpouts.demo.face_hair import FEMININE_STYLES, MASCULINE_STYLES
from helpouts.demo.faces import compose, draw, face_svg

SEEDS = range(200)


def test_the_same_seed_always_draws_the_same_person() -> None:
    assert face_svg(7) == face_svg(7)
    assert face_svg(7, look="feminine") == draw(compose(7, look="feminine"))


def test_different_seeds_draw_different_people() -> None:
    assert len({face_svg(seed) for seed in SEEDS}) >= 198


@pytest.mark.parametrize("look", ["any", "feminine", "masculine"])
def test_every_portrait_is_valid_xml_without_anything_active(look: str) -> None:
    for seed in SEEDS:
        root = ET.fromstring(face_svg(seed, look=look))  # type: ignore[arg-type]  # parametrized literal
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert tags <= {"svg", "rect", "path", "circle", "ellipse"}
        assert not any("style" in element.attrib for element in root.iter())


def test_a_look_keeps_to_its_hair() -> None:
    assert {compose(seed, look="feminine").hair_style for seed in SEEDS} == set(FEMININE_STYLES)
    assert {compose(seed, look="masculine").hair_style for seed in SEEDS} == set(MASCULINE_STYLES)
    assert {compose(seed, look="feminine").beard for seed in SEEDS} == {"none"}


def test_background_and_headset_can_be_asked_for() -> None:
    assert compose(3, background="#123456").background == "#123456"
    assert compose(3, look="masculine", headset=True).headset
    assert not any(compose(seed, headset=False).headset for seed in SEEDS)


def test_a_portrait_is_small_enough_to_send_in_a_page() -> None:
    assert max(len(face_svg(seed)) for seed in SEEDS) < 6_000
