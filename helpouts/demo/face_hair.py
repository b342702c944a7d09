"""Hair and headscarves of the demo's portraits."""

from __future__ import annotations

from helpouts.demo.face_parts import dots, line, path

FEMININE_STYLES = (
    "long",
    "bob",
    "wavy",
    "bun",
    "afro",
    "ponytail",
    "pixie",
    "braids",
    "headscarf",
    "curly-bob",
)
MASCULINE_STYLES = (
    "crop",
    "side-part",
    "quiff",
    "buzz",
    "curls",
    "receding",
    "bald",
    "short-afro",
    "tousled",
)

_LONG = "M50 92C46 44 72 25 100 25s54 19 50 67c-1 34 6 58 8 84-18 10-98 10-116 0 2-26 9-50 8-84z"
_BOB = "M49 94C44 46 72 25 100 25s56 21 51 69c2 20 2 36-3 48-12 8-28 4-36 2H88c-8 2-24 6-36-2-5-12-5-28-3-48z"


def hair_back(style: str, hair: str) -> str:
    """Hair behind the head and shoulders."""
    shapes = {
        "long": path(_LONG, hair),
        "bob": path(_BOB, hair),
        "bun": dots(((100, 24, 20),), hair) + path("M58 90C56 50 76 34 100 34s44 16 42 56z", hair),
        "ponytail": path(
            "M118 40c36-2 50 36 42 78-3 18-4 30-12 42-9-2-12-12-9-24 6-26 4-48-15-66z",
            hair,
        ),
        "afro": dots(
            (
                (100, 76, 54),
                (62, 48, 22),
                (84, 34, 22),
                (116, 34, 22),
                (138, 48, 22),
                (50, 72, 20),
                (150, 72, 20),
                (53, 98, 19),
                (147, 98, 19),
                (66, 117, 15),
                (134, 117, 15),
            ),
            hair,
        ),
        "short-afro": dots(((100, 70, 45),), hair),
        "braids": path("M54 90C52 48 74 30 100 30s48 18 46 60z", hair)
        + dots(tuple((x, y, 11) for x in (51, 149) for y in (98, 113, 128, 143, 157)), hair),
    }
    if style == "wavy":
        sides = tuple(
            (x, y, 17)
            for x, y in (
                (56, 74),
                (50, 98),
                (47, 122),
                (50, 146),
                (144, 74),
                (150, 98),
                (153, 122),
                (150, 146),
            )
        )
        return path(_LONG, hair) + dots(sides, hair)
    if style == "curly-bob":
        points = (
            (60, 62, 20),
            (50, 86, 19),
            (50, 110, 19),
            (58, 130, 17),
            (140, 62, 20),
            (150, 86, 19),
            (150, 110, 19),
            (142, 130, 17),
        )
        return dots((*points, (80, 44, 22), (100, 38, 22), (120, 44, 22)), hair)
    return shapes.get(style, "")


_PARTED = "M97 45c-8 16-24 22-35 52-7-38 9-67 38-67s45 29 38 67c-6-26-28-34-41-52z"
_FRINGE = "M60 94C53 50 76 30 100 30s47 20 40 64c-2-9-4-14-8-19-18 5-46 5-64 0-4 5-6 10-8 19z"
_SWEPT = "M60 92C54 52 74 30 102 30c28 0 44 22 38 62-2-10-6-17-12-22-18 1-36-5-46-17-4 14-16 22-22 39z"
_CROP = "M60 90C55 52 74 31 101 31c28 0 45 21 39 59-2-11-5-18-11-23-18-5-40-5-58 0-6 5-9 12-11 23z"


def hair_front(style: str, hair: str) -> str:
    """Hair over the forehead."""
    thin = ' opacity="0.75"'
    shapes = {
        "long": path(_PARTED, hair),
        "wavy": path(_SWEPT, hair),
        "bob": path(_FRINGE, hair),
        "bun": path(_PARTED, hair),
        "ponytail": path(_SWEPT, hair),
        "braids": path(_PARTED, hair),
        "pixie": path(
            "M59 98C51 50 74 28 103 28c29 0 45 24 38 68-1-9-3-15-6-20-4-3-7-7-9-12-20 12-42 11-60 13-4 6-6 12-7 21z",
            hair,
        ),
        "curly-bob": dots(
            (
                (74, 58, 14),
                (92, 50, 15),
                (112, 50, 15),
                (128, 60, 13),
                (64, 74, 10),
                (137, 75, 9),
            ),
            hair,
        ),
        "afro": dots(
            ((70, 66, 11), (84, 58, 12), (100, 55, 13), (116, 58, 12), (130, 66, 11)),
            hair,
        ),
        "short-afro": path(
            "M61 90C58 56 78 40 100 40s42 16 39 50c-4-16-10-22-16-25H77c-6 3-12 9-16 25z",
            hair,
        ),
        "crop": path(_CROP, hair),
        "side-part": path(
            "M60 92C53 50 74 29 104 29c28 0 43 22 37 63-2-10-5-17-10-22-20 1-38-3-48-14-4 9-18 14-23 36z",
            hair,
        ),
        "quiff": path(
            "M61 88c-4-24-1-40 8-48 6-16 32-22 54-14 18 6 22 34 16 62-2-10-5-16-10-21-18-7-38-9-52-5-9 5-13 14-16 26z",
            hair,
        ),
        "buzz": path(
            "M62 86C60 56 77 39 100 39s40 17 38 47c-3-11-8-18-15-22-15-3-31-3-46 0-7 4-12 11-15 22z",
            hair,
            thin,
        ),
        "curls": dots(
            (
                (68, 62, 13),
                (76, 47, 15),
                (93, 38, 16),
                (112, 39, 16),
                (127, 49, 15),
                (134, 64, 12),
                (101, 52, 15),
            ),
            hair,
        ),
        "receding": path(
            "M61 100c-6-20-4-36 8-46-1 12-3 20-3 34zM139 100c6-20 4-36-8-46 1 12 3 20 3 34z",
            hair,
        ),
        "tousled": path(
            "M60 94c-8-30-2-50 14-56 8-12 28-14 38-6 18-2 34 20 28 62-2-10-4-16-8-21l-6 5-3-10-9 9-6-10-10 8-7-9-9 11"
            "-8-6c-8 6-12 12-14 23z",
            hair,
        ),
    }
    return shapes.get(style, "")


def scarf_back(cloth: str) -> str:
    """A headscarf as it falls over head, neck and shoulders."""
    return path(
        "M56 98C50 50 72 28 100 28s50 22 44 70c0 24 8 40 18 66-30 26-94 26-124 0 10-26 18-42 18-66z",
        cloth,
    )


def scarf_front() -> str:
    """The folds of a headscarf around the face."""
    shade = ' opacity="0.14"'
    return (
        line(
            "M66 98c0 26 14 44 34 44s34-18 34-44c0-24-12-42-34-42S66 74 66 98z",
            "#000",
            2.5,
            shade,
        )
        + line("M70 134c10 16 34 22 66 34", "#000", 3, shade)
        + line("M132 132c-8 14-24 18-40 22", "#000", 3, shade)
    )
