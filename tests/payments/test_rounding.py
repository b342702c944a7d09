"""Rounding: whatever the amounts, the legs sum to the whole."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpouts.payments.rounding import fee, half_even, largest_remainder, prorate, slice_of

amounts = st.integers(0, 10**12)


@given(st.integers(0, 10**15), st.integers(1, 10**9))
def test_half_even_is_the_decimal_modules_half_even(numerator: int, denominator: int) -> None:
    exact, rest = divmod(numerator, denominator)
    tie = 2 * rest == denominator
    expected = exact + (exact % 2) if tie else exact + (2 * rest > denominator)
    assert half_even(numerator, denominator) == expected


@given(st.integers(0, 10**9), st.sampled_from([2, 4, 5, 8, 10, 1000, 10_000]))
def test_half_even_agrees_with_decimal_quantize(numerator: int, denominator: int) -> None:
    quotient = Decimal(numerator) / Decimal(denominator)
    assert half_even(numerator, denominator) == int(quotient.quantize(Decimal(1), ROUND_HALF_EVEN))


@pytest.mark.parametrize(("n", "d", "rounded"), [(1, 2, 0), (3, 2, 2), (5, 2, 2), (7, 2, 4), (0, 3, 0), (2, 3, 1)])
def test_ties_go_to_the_even_neighbour(n: int, d: int, rounded: int) -> None:
    assert half_even(n, d) == rounded


@pytest.mark.parametrize(("n", "d"), [(-1, 2), (1, 0), (1, -2)])
def test_what_is_no_amount_is_not_rounded(n: int, d: int) -> None:
    with pytest.raises(ValueError, match="rounded"):
        half_even(n, d)


@given(amounts, st.integers(0, 10_000))
def test_the_fee_never_exceeds_the_price(gross: int, basis_points: int) -> None:
    assert 0 <= fee(gross, basis_points) <= gross


@given(st.integers(0, 10**6), st.integers(-100, 10**6), amounts)
def test_a_minute_rate_stays_within_the_hold(price: int, seconds: int, most: int) -> None:
    assert 0 <= prorate(price, seconds, 60, most) <= most


@pytest.mark.parametrize(
    ("price", "seconds", "minor"),
    [(100, 60, 100), (100, 1, 2), (100, 0, 0), (100, 95, 158), (50, 3, 2), (50, 9, 8), (150, 3600, 9000), (7, 30, 4)],
)
def test_minutes_cost_by_the_second(price: int, seconds: int, minor: int) -> None:
    assert prorate(price, seconds, 60, 10**6) == minor


@given(st.integers(1, 10**6), st.integers(0, 10_000), st.lists(st.integers(1, 10**5), min_size=1, max_size=30))
def test_slices_of_a_refund_sum_to_the_fee_exactly(captured: int, basis_points: int, sizes: list[int]) -> None:
    part, before, returned = fee(captured, basis_points), 0, 0
    for size in [*sizes, captured]:
        size = min(size, captured - before)
        share = slice_of(part, captured, before, size)
        assert 0 <= share <= size
        before, returned = before + size, returned + share
    assert returned == part


@pytest.mark.parametrize(("before", "size"), [(0, 101), (90, 11), (-1, 1), (1, -1)])
def test_a_slice_beyond_the_whole_is_refused(before: int, size: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        slice_of(20, 100, before, size)


@given(amounts, st.lists(st.integers(0, 10**6), min_size=1, max_size=12).filter(any))
def test_largest_remainder_shares_sum_and_stay_near_their_quota(total: int, weights: list[int]) -> None:
    shares = largest_remainder(total, weights)
    assert sum(shares) == total
    whole = sum(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert total * weight // whole <= share <= total * weight // whole + 1


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [(100, [1, 1, 1], (34, 33, 33)), (10, [1, 2, 3], (2, 3, 5)), (1, [1, 1], (1, 0)), (5, [0, 1], (0, 5))],
)
def test_ties_of_remainders_go_to_the_earlier_place(total: int, weights: list[int], shares: tuple[int, ...]) -> None:
    assert largest_remainder(total, weights) == shares


@pytest.mark.parametrize("weights", [[], [0, 0], [-1, 2]])
def test_weights_that_divide_nothing_are_refused(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        largest_remainder(10, weights)
