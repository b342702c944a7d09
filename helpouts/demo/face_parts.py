"""The shapes and colours of the demo's portraits; :mod:`helpouts.demo.faces` puts them together."""

from __future__ import annotations

from dataclasses import dataclass

INK = "#2a2320"


@dataclass(frozen=True, slots=True)
class Skin:
    """A skin tone with the colours that go with it."""

    base: str
    shade: str
    lip: str
    blush: str
    hair: tuple[str, ...]
    freckles: bool = False


_DARK = ("#1f1a19", "#2b211d", "#3a2a22")
_MIXED = ("#2b211d", "#4a3225", "#6b4429", "#8a5a33")
_FAIR = ("#3a2a22", "#6b4429", "#a86f3a", "#d9a55a", "#b4532a")

SKINS = (
    Skin("#f6d3b8", "#e5b192", "#b9564c", "#ee9c84", _FAIR, freckles=True),
    Skin("#f2c6a0", "#dca37b", "#b0524a", "#e68c70", _FAIR, freckles=True),
    Skin("#e5b083", "#c98d61", "#a24a42", "#d97e5e", _MIXED),
    Skin("#cf9466", "#b17647", "#97423a", "#c46a49", _MIXED),
    Skin("#a86d45", "#8b5534", "#823733", "#a8553c", _DARK),
    Skin("#8a5738", "#6d4129", "#6d2d2b", "#97492f", _DARK),
    Skin("#6f4530", "#553221", "#5c2626", "#84432f", _DARK),
)
GREY_HAIR = ("#d9d6d0", "#b4b0aa", "#8e8b88")
CLOTH = (
    "#0a5f58",
    "#c9503a",
    "#f0b63c",
    "#2f4d78",
    "#f4efe6",
    "#6f8f5f",
    "#3c4446",
    "#d98a6a",
    "#5d86a8",
    "#8c3b4a",
)
BACKGROUNDS = (
    "#ffd673",
    "#a9d3c4",
    "#f2b8a2",
    "#b4cdea",
    "#dcd7ae",
    "#f1c7c2",
    "#94c4c6",
    "#e9d9c0",
)

BEARD_ODDS = ("none", "none", "none", "stubble", "full", "full", "moustache", "goatee")
GLASSES_ODDS = ("none", "none", "none", "none", "round", "square")
CLOTHES_STYLES = ("tee", "shirt", "sweater", "blazer", "turtleneck", "dungarees")


def path(d: str, fill: str, extra: str = "") -> str:
    """A filled path."""
    return f'<path d="{d}" fill="{fill}"{extra}/>'


def line(d: str, colour: str, width: float, extra: str = "") -> str:
    """A line with round ends."""
    return f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round"{extra}/>'


def dots(points: tuple[tuple[int, int, int], ...], fill: str) -> str:
    """Discs at (x, y) with a radius each."""
    return "".join(f'<circle cx="{x}" cy="{y}" r="{r}" fill="{fill}"/>' for x, y, r in points)


def neck(skin: Skin) -> str:
    """Neck with the shadow of the chin."""
    return path("M83 120h34v38c0 10-8 17-17 17s-17-7-17-17z", skin.base) + path(
        "M83 131c5 9 11 13 17 13s12-4 17-13v13c-4 8-11 12-17 12s-13-4-17-12z",
        skin.shade,
    )


def ears(skin: Skin) -> str:
    """Both ears."""
    return "".join(f'<ellipse cx="{x}" cy="99" rx="8" ry="10.5" fill="{skin.shade}"/>' for x in (63, 137))


def head(skin: Skin, scarf: bool) -> str:
    """The face; narrower where a scarf frames it."""
    if scarf:
        return f'<ellipse cx="100" cy="98" rx="33.5" ry="41" fill="{skin.base}"/>'
    return path(
        "M62 86C62 56 78 41 100 41s38 15 38 45v9c0 14-5 26-14 35-7 7-15 12-24 12s-17-5-24-12c-9-9-14-21-14-35z",
        skin.base,
    )


def features(skin: Skin, hair: str, senior: bool, freckles: bool) -> str:
    """Brows, eyes, nose and cheeks."""
    brow = hair if hair not in CLOTH else INK
    out = [f'<circle cx="{x}" cy="112" r="8.5" fill="{skin.blush}" opacity="0.38"/>' for x in (76, 124)]
    out += [
        line("M76 85.500q8-5.5 15-1.5", brow, 3.4),
        line("M124 85.500q-8-5.5-15-1.5", brow, 3.4),
    ]
    for x in (84, 116):
        out.append(f'<ellipse cx="{x}" cy="97" rx="3.7" ry="4.5" fill="{INK}"/>')
        out.append(f'<circle cx="{x + 1.3}" cy="95.3" r="1.3" fill="#fff"/>')
    out.append(line("M100 98c1 5 4 8 3 11-.6 1.7-3 2.2-5 1.3", skin.shade, 2.6))
    if senior:
        out += [
            line("M75 105q3 2.5 6 2.5", skin.shade, 1.6),
            line("M125 105q-3 2.5-6 2.5", skin.shade, 1.6),
        ]
        out += [line("M88 71q12-3 24 0", skin.shade, 1.6)]
    if freckles:
        out.append(
            dots(
                (
                    (73, 107, 1),
                    (78, 109, 1),
                    (74, 112, 1),
                    (127, 107, 1),
                    (122, 109, 1),
                    (126, 112, 1),
                ),
                skin.shade,
            )
        )
    return "".join(out)


def mouth(smile: str, skin: Skin) -> str:
    """A closed or an open smile."""
    if smile == "open":
        return path(
            "M87 119.500q13 4 26 0c-1 8.5-6.5 12.5-13 12.500s-12-4-13-12.500z",
            "#7c2b2a",
        ) + path("M89 120.600q11 3 22 0l-1 3.600q-10 2.6-20 0z", "#fff")
    return line("M88.5 121.500q11.5 9 23 0", skin.lip, 3)


def beard(kind: str, hair: str) -> str:
    """The part of a beard that lies under the mouth."""
    full = (
        "M61 92c2 12 6 18 13 19 8 1 14-4 26-4s18 5 26 4c7-1 11-7 13-19 2 20-1 34-10 43-8 8-18 13-29 13s-21-5-29-13"
        "c-9-9-12-23-10-43z"
    )
    if kind == "full":
        return path(full, hair)
    if kind == "stubble":
        return path(full, hair, ' opacity="0.2"')
    if kind == "goatee":
        return path(
            "M86 126c3 6 8 7.5 14 7.500s11-1.5 14-7.500c2 12-4 21-14 21s-16-9-14-21z",
            hair,
        )
    return ""


def moustache(kind: str, hair: str) -> str:
    """The part of a beard that lies over the mouth."""
    if kind in ("moustache", "goatee", "full"):
        return path(
            "M82 119c2-7 10-9.5 18-5.5 8-4 16-1.5 18 5.5-6 1.5-12 .5-18-2-6 2.5-12 3.5-18 2z",
            hair,
        )
    return ""


def glasses(kind: str) -> str:
    """A pair of glasses, or nothing."""
    if kind == "none":
        return ""
    frame = f'fill="#fff" fill-opacity="0.16" stroke="{INK}" stroke-width="2.6"'
    if kind == "round":
        lenses = "".join(f'<circle cx="{x}" cy="97" r="13" {frame}/>' for x in (83, 117))
    else:
        lenses = "".join(f'<rect x="{x}" y="86.5" width="27" height="20" rx="6" {frame}/>' for x in (69.5, 103.5))
    return lenses + line("M96 95q4-2.5 8 0M70 94l-7-2M130 94l7-2", INK, 2.6)


def earrings() -> str:
    """Two small earrings."""
    return dots(((62, 112, 3), (138, 112, 3)), "#e7b53c")


def headset() -> str:
    """Headphones with a microphone, as worn for a call."""
    cups = "".join(f'<rect x="{x}" y="86" width="14" height="27" rx="7" fill="#30393b"/>' for x in (51, 135))
    return (
        line("M58 90C54 48 74 30 100 30s46 18 42 60", "#30393b", 5)
        + cups
        + line("M58 111c2 14 10 22 24 24", "#30393b", 3)
        + '<ellipse cx="84" cy="135" rx="5" ry="3.5" fill="#30393b"/>'
    )


def clothes(kind: str, cloth: str, second: str) -> str:
    """Shoulders and what is worn on them."""
    body = "M14 204c2-28 20-38 44-43 9-2 18-4 24-8 3 12 9 19 18 19s15-7 18-19c6 4 15 6 24 8 24 5 42 15 44 43z"
    out = path(body, cloth)
    shade = ' opacity="0.16"'
    if kind == "tee":
        return out + line("M80 154c3 15 11 22 20 22s17-7 20-22", "#000", 3, shade)
    if kind == "shirt":
        return (
            out
            + path(
                "M82 151l-8 9 14 21 12-9 12 9 14-21-8-9c-3 13-9 21-18 21s-15-8-18-21z",
                "#fffaf0",
            )
            + line("M100 174v30", "#000", 2.5, shade)
        )
    if kind == "sweater":
        return out + path(
            "M82 152c-3 3-5 5-6 7 5 17 14 26 24 26s19-9 24-26c-1-2-3-4-6-7-3 14-9 21-18 21s-15-7-18-21z",
            second,
        )
    if kind == "blazer":
        return (
            out
            + path("M82 153l-6 6 24 45 24-45-6-6c-3 13-9 20-18 20s-15-7-18-20z", "#fffaf0")
            + path(
                "M76 158l-12 4 4 16-6 6 34 20h4zM124 158l12 4-4 16 6 6-34 20h-4z",
                "#000",
                shade,
            )
        )
    if kind == "turtleneck":
        return (
            out
            + path(
                "M82 146c5 5 11 7 18 7s13-2 18-7l2 14c-5 8-12 13-20 13s-15-5-20-13z",
                cloth,
            )
            + line("M82 159c5 8 11 12 18 12s13-4 18-12", "#000", 2.5, shade)
        )
    return (
        out
        + line("M80 154c3 15 11 22 20 22s17-7 20-22", "#000", 3, shade)
        + path("M62 160l12-3 4 27h44l4-27 12 3-4 44H66z", second)
        + dots(((76, 186, 3), (124, 186, 3)), "#f7e3b0")
    )
