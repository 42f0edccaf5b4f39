"""The passes of 16-bit operands, as numbers: bytes that multiply to the product, and room for the longest sum."""

import itertools

import numpy as np

from celosia.generators.chassis.tiles.planes import (
    LARGEST_REDUCTION,
    Pass,
    joined,
    passes_of,
    places_of,
    split,
)

WIDTHS = list(itertools.product((0, 1), repeat=2))


def test_bytes_are_the_highest_first_and_join_again() -> None:
    values = np.array([-32768, -1, 0, 255, 256, 32767], np.int16)
    planes = split(values, 2)
    assert planes[0].view(np.int8).tolist() == [-128, -1, 0, 0, 1, 127]
    assert planes[1].tolist() == [0, 255, 0, 255, 0, 255]
    np.testing.assert_array_equal(joined(planes), values)
    whole = np.array([-(1 << 47), (1 << 47) - 1, -(1 << 31)])
    np.testing.assert_array_equal(joined(split(whole, 6)), whole)


def test_passes_multiply_every_byte_by_every_byte_weights_fastest() -> None:
    assert passes_of({}) == (Pass(False, False),)
    both = passes_of({"ifm_int16": 1, "weights_int16": 1})
    assert [tuple(one) for one in both] == [(False, False), (False, True), (True, False), (True, True)]
    assert [one.place for one in both] == [0, 1, 1, 2]


def test_products_of_bytes_in_their_places_are_the_product() -> None:
    draw = np.random.default_rng(5)
    for ifm_int16, weights_int16 in WIDTHS:
        fields = {"ifm_int16": ifm_int16, "weights_int16": weights_int16}
        a, b = (draw.integers(-(1 << 8 * n + 7), 1 << 8 * n + 7, 500) for n in (ifm_int16, weights_int16))
        sums = np.zeros((places_of(fields), 500), np.int64)
        for one in passes_of(fields):
            factors = []
            for values, is_wide, is_low in ((a, ifm_int16, one.ifm_low), (b, weights_int16, one.weights_low)):
                plane = split(values, 1 + is_wide)[int(is_low)]
                factors.append((plane if is_low else plane.view(np.int8)).astype(np.int64))
            sums[one.place] += factors[0] * factors[1]
        total = np.zeros(500, np.int64)
        for place in sums:
            total = (total << 8) + place
        np.testing.assert_array_equal(total, a * b)


def test_int32_has_room_for_the_longest_sums() -> None:
    signed, unsigned = (-128, 127), (0, 255)
    middle = [2 * a * b for a in signed for b in unsigned]
    others = [a * b for a in signed for b in signed] + [a * b for a in unsigned for b in unsigned]
    assert LARGEST_REDUCTION * max(map(abs, middle + others)) < 1 << 31
