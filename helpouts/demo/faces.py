"""Drawn portraits for the demo's people, so that the site shows faces without anybody's photograph.

A face is put together from a few shapes, picked by a seeded random generator: the same seed always gives the same
person.  The pieces are in :mod:`helpouts.demo.face_parts` and ``face_hair``; coordinates are of a 200 by 200 square,
eyes at y = 97; the picture shows the middle of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from helpouts.demo import face_hair as hairdo
from helpouts.demo import face_parts as parts

Look = Literal["any", "feminine", "masculine"]


@dataclass(frozen=True, slots=True)
class Face:
    """What one person looks like; each field names a piece or a colour of those modules."""

    skin: parts.Skin
    hair: str
    hair_style: str
    beard: str
    glasses: str
    clothes: str
    cloth: str
    second_cloth: str
    background: str
    smile: str
    senior: bool
    freckles: bool
    earrings: bool
    headset: bool


def face_svg(
    seed: int,
    *,
    look: Look = "any",
    background: str | None = None,
    headset: bool | None = None,
) -> str:
    """A portrait as a self-contained SVG document, 160 by 160 pixels, the same for the same arguments.

    :param seed: any integer; neighbours differ.
    :param look: lets the demo match a name; "any" leaves it to the seed.
    :param background: a CSS colour instead of the seed's own.
    :param headset: whether the person wears one, instead of the seed's own choice.
    """
    return draw(compose(seed, look=look, background=background, headset=headset))


def compose(
    seed: int,
    *,
    look: Look = "any",
    background: str | None = None,
    headset: bool | None = None,
) -> Face:
    """The person that belongs to a seed; see :func:`face_svg`."""
    dice = Random(f"face {seed}")  # noqa: S311  # a drawing, nothing secret
    feminine = dice.random() < 0.5 if look == "any" else look == "feminine"
    senior = dice.random() < 0.22
    skin = dice.choice(parts.SKINS)
    hair = dice.choice(parts.GREY_HAIR if senior else skin.hair)
    style = dice.choice(hairdo.FEMININE_STYLES if feminine else hairdo.MASCULINE_STYLES)
    beard = "none" if feminine else dice.choice(parts.BEARD_ODDS)
    cloth, second_cloth = dice.sample(parts.CLOTH, 2)
    chosen_background = dice.choice(parts.BACKGROUNDS)
    wears_headset = dice.random() < 0.16
    if style == "headscarf":
        wears_headset = False
    return Face(
        skin=skin,
        hair=hair,
        hair_style=style,
        beard=beard,
        glasses=dice.choice(parts.GLASSES_ODDS),
        clothes=dice.choice(parts.CLOTHES_STYLES),
        cloth=cloth,
        second_cloth=second_cloth,
        background=background or chosen_background,
        smile=dice.choice(("soft", "soft", "open")),
        senior=senior,
        freckles=skin.freckles and dice.random() < 0.4,
        earrings=feminine and style != "headscarf" and dice.random() < 0.5,
        headset=wears_headset if headset is None else headset and style != "headscarf",
    )


def draw(face: Face) -> str:
    """The SVG document of a face, from the back to the front."""
    scarf = face.hair_style == "headscarf"
    layers = [
        f'<rect width="200" height="200" fill="{face.background}"/>',
        "" if scarf else hairdo.hair_back(face.hair_style, face.hair),
        parts.neck(face.skin),
        parts.clothes(face.clothes, face.cloth, face.second_cloth),
        hairdo.scarf_back(face.second_cloth) if scarf else parts.ears(face.skin),
        parts.head(face.skin, scarf),
        parts.features(face.skin, face.hair, face.senior, face.freckles),
        parts.beard(face.beard, face.hair),
        parts.mouth(face.smile, face.skin),
        parts.moustache(face.beard, face.hair),
        hairdo.scarf_front() if scarf else hairdo.hair_front(face.hair_style, face.hair),
        parts.glasses(face.glasses),
        parts.earrings() if face.earrings else "",
        parts.headset() if face.headset else "",
    ]
    body = "".join(layers)
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="17 13 166 166" width="160" height="160">{body}</svg>'
