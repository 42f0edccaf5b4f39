"""`Requantize` equals the NumPy model of TensorFlow Lite's double rounding, at every boundary and at random."""

import itertools

import numpy as np
import pytest
from amaranth.hdl import unsigned
from amaranth.sim import Simulator

from celosia.hdl.arithmetic_model import (
    INT32_MAX,
    INT32_MIN,
    multiply_by_quantized_multiplier,
    requantize,
    wrap_int32,
)
from celosia.hdl.requantize import REQUANTIZE_LATENCY, SCALED_LATENCY, Requantize
from tests.gateware import convert

METADATA_BITS = 16


def run(
    cases: np.ndarray, zero_point: int, minimum: int, maximum: int, gaps: np.ndarray | None = None
) -> list[tuple[int, int, int]]:
    """(cycle, value, metadata) of every result; row i of `cases` (accumulator, bias, multiplier, shift) goes in
    at cycle i + the gaps up to it, with i as its metadata.
    """
    dut = Requantize(unsigned(METADATA_BITS))
    entries = np.arange(len(cases)) + (0 if gaps is None else np.cumsum(gaps))
    results = []

    async def drive(ctx) -> None:
        given = dut.accumulators.payload
        cycle = 0
        for index, (entry, case) in enumerate(zip(entries.tolist(), cases.tolist(), strict=True)):
            if cycle < entry:
                ctx.set(dut.accumulators.valid, 0)
                await ctx.tick().repeat(entry - cycle)
            ctx.set(dut.accumulators.valid, 1)
            for name, value in zip(("accumulator", "bias", "multiplier", "shift"), case, strict=True):
                ctx.set(given[name], value)
            ctx.set(given.metadata, index % (1 << METADATA_BITS))
            await ctx.tick()
            cycle = entry + 1
        ctx.set(dut.accumulators.valid, 0)

    async def collect(ctx) -> None:
        ctx.set(dut.zero_point, zero_point)
        ctx.set(dut.minimum, minimum)
        ctx.set(dut.maximum, maximum)
        for cycle in range(int(entries[-1]) + REQUANTIZE_LATENCY + 3):
            if ctx.get(dut.results.valid):
                result = ctx.get(dut.results.payload)
                results.append((cycle, result.value, result.metadata))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(drive)
    simulator.add_testbench(collect)
    simulator.run()
    return results


def expected(cases: np.ndarray, zero_point: int, minimum: int, maximum: int) -> np.ndarray:
    accumulator, bias, multiplier, shift = cases.T
    return requantize(wrap_int32(accumulator + bias), multiplier, shift, zero_point, minimum, maximum)


def check(cases: np.ndarray, zero_point: int = 0, minimum: int = -128, maximum: int = 127) -> None:
    values = [value for _, value, _ in run(cases, zero_point, minimum, maximum)]
    reference = expected(cases, zero_point, minimum, maximum)
    wrong = np.flatnonzero(np.array(values) != reference)
    assert not len(wrong), f"{cases[wrong[0]]}: {values[wrong[0]]}, not {reference[wrong[0]]}"


def table(*columns) -> np.ndarray:
    return np.array(list(itertools.product(*columns)), dtype=np.int64)


def test_every_shift_at_the_boundaries_of_accumulator_and_multiplier() -> None:
    accumulators = [INT32_MIN, INT32_MIN + 1, -(1 << 30), -3, -2, -1, 0, 1, 2, 3, 1 << 30, INT32_MAX]
    multipliers = [0, 1, (1 << 17) - 1, 1 << 17, 1 << 30, (1 << 30) + 1, INT32_MAX]
    check(table(accumulators, [0], multipliers, range(-31, 32)))


@pytest.mark.parametrize("divisor_log2", [1, 2, 7, 24, 31])
def test_halves_of_both_roundings(divisor_log2: int) -> None:
    """Products around odd multiples of half of 2**31 and of half the divisor, of both signs."""
    half = 1 << (divisor_log2 - 1)
    # 2**30 halves the accumulator in the first rounding, so that any value can reach the second.
    scaled = np.array([sign * odd * half for sign in (-1, 1) for odd in (1, 3, 5)])
    wanted = np.concatenate([scaled + step for step in (-1, 0, 1)])
    doubled = np.concatenate([2 * wanted + step for step in (-1, 0, 1)])
    accumulators = doubled[(doubled >= INT32_MIN) & (doubled <= INT32_MAX)]
    check(table(accumulators, [0], [1 << 30], [-divisor_log2]))


def test_bias_and_left_shift_wrap_at_32_bits() -> None:
    check(
        table(
            [INT32_MIN, -5, 5, INT32_MAX],
            [INT32_MIN, -1, 1, INT32_MAX],
            [1 << 30, INT32_MAX],
            [-24, 0, 1, 8, 15, 31],
        )
    )


@pytest.mark.parametrize("bounds", [(-128, -128, 127), (127, -128, 127), (-3, -3, 40), (5, 17, 17)], ids=str)
def test_zero_point_and_clamp(bounds: tuple[int, int, int]) -> None:
    """Every int8 result and what lies beyond, and the zero point wrapping at both ends of int32."""
    small = table(range(-300, 300), [0], [1 << 30], [1])
    check(np.concatenate([small, table([INT32_MIN, INT32_MAX], [0], [INT32_MAX], [0])]), *bounds)


def test_the_scaled_value_before_it_is_saturated() -> None:
    """Of accumulators that are not valid, too."""
    cases = table([INT32_MIN, -70000, -3, 0, 5, INT32_MAX], [0], [1 << 30, INT32_MAX], [-9, 0, 3])
    dut = Requantize(unsigned(1))
    values = []

    async def bench(ctx) -> None:
        ctx.set(dut.zero_point, -7)
        for case in [*cases.tolist(), *[[0, 0, 0, 0]] * SCALED_LATENCY]:
            for name, value in zip(("accumulator", "bias", "multiplier", "shift"), case, strict=True):
                ctx.set(dut.accumulators.payload[name], value)
            values.append(ctx.get(dut.scaled))
            await ctx.tick()

    simulator = Simulator(dut)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
    accumulator, _, multiplier, shift = cases.T
    reference = wrap_int32(multiply_by_quantized_multiplier(accumulator, multiplier, shift) - 7)
    assert values[SCALED_LATENCY:] == reference.tolist()


@pytest.mark.parametrize("seed", [1, 2])
def test_random_values(seed: int) -> None:
    generator = np.random.default_rng(seed)
    count = 3000
    # Results that are spread over int8: the shift follows the accumulator's size.
    bits = generator.integers(1, 32, count)
    accumulators = generator.integers(-(1 << bits), 1 << bits)
    shifts = np.clip(8 - bits + generator.integers(-3, 4, count), -31, 31)
    multipliers = generator.integers(1 << 30, 1 << 31, count)
    biases = generator.integers(-(1 << bits), 1 << bits)
    check(np.stack([accumulators, biases, multipliers, shifts], axis=1), zero_point=-7)


@pytest.mark.parametrize("seed", [1])
def test_latency_is_fixed_and_metadata_stays_with_its_accumulator(seed: int) -> None:
    generator = np.random.default_rng(seed)
    gaps = generator.integers(0, 3, 60)
    cases = np.stack(
        [generator.integers(-(1 << 20), 1 << 20, 60), np.zeros(60), np.full(60, 1 << 30), np.full(60, -12)],
        axis=1,
    ).astype(np.int64)
    entries = np.arange(60) + np.cumsum(gaps)
    reference = expected(cases, 0, -128, 127)
    assert run(cases, 0, -128, 127, gaps) == [
        (entry + REQUANTIZE_LATENCY, value, index)
        for index, (entry, value) in enumerate(zip(entries.tolist(), reference.tolist(), strict=True))
    ]


def test_converts_with_four_multiplications() -> None:
    assert convert(Requantize(unsigned(METADATA_BITS))).count(" * ") == 4
