"""The rules of rounding: integers in, integers out.

Half to even, because a fee is taken again and again and half-up would favour the platform by a part of a cent each
time (IEEE 754-2019 §4.3.1, "roundTiesToEven").  One leg of every split is computed as the remainder, so that the
legs always sum to the whole; slices of a refund are differences of cumulative rounded values, so that all slices
together are exact whatever their sizes.
"""

from __future__ import annotations

from collections.abc import Sequence

#: Name of this set of rules; stored with every payment, so that an old one can be recomputed for ever.
RULE = "half-even-1"
#: Basis points in a whole: 2000 bp are 20 %.
WHOLE_BP = 10_000


def half_even(numerator: int, denominator: int) -> int:
    """``numerator / denominator`` rounded to the nearest integer, ties to the even one.

    :raises ValueError: unless the denominator is positive and the numerator at least 0.
    """
    if denominator <= 0 or numerator < 0:
        raise ValueError("only amounts of at least 0 over a positive denominator are rounded")
    quotient, remainder = divmod(numerator, denominator)
    if 2 * remainder > denominator or (2 * remainder == denominator and quotient % 2):
        return quotient + 1
    return quotient


def prorate(price_minor: int, seconds: int, per_seconds: int, most: int) -> int:
    """What ``seconds`` cost at ``price_minor`` for ``per_seconds``, at least 0 and at most ``most`` (minor units)."""
    return max(0, min(most, half_even(price_minor * max(0, seconds), per_seconds)))


def fee(gross_minor: int, basis_points: int) -> int:
    """The platform's part of ``gross_minor``; the expert's part is the remainder."""
    return half_even(gross_minor * basis_points, WHOLE_BP)


def slice_of(part: int, whole: int, before: int, slice_minor: int) -> int:
    """How much of ``part`` goes with the slice ``before``..``before + slice_minor`` of ``whole``.

    The slices of any division of the whole sum to ``part`` exactly.

    :raises ValueError: when the slice reaches beyond the whole.
    """
    after = before + slice_minor
    if before < 0 or slice_minor < 0 or after > whole:
        raise ValueError("the slice lies outside the whole")
    if whole == 0:
        return 0
    return half_even(part * after, whole) - half_even(part * before, whole)


def largest_remainder(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Divide ``total`` in proportion to ``weights``: Hamilton's method, ties to the earlier place.

    :raises ValueError: when a weight is negative or all are 0.
    """
    whole = sum(weights)
    if whole <= 0 or any(weight < 0 for weight in weights):
        raise ValueError("weights are at least 0 and not all 0")
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in by_remainder[: total - sum(shares)]:
        shares[place] += 1
    return tuple(shares)
