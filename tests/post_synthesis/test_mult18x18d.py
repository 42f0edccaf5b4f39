"""The twin of ECP5's multiplier: products, and what each register waits for."""

import random
from pathlib import Path

import pytest

from tests.post_synthesis.stepper import Part, RunEnded, Stepper, refusal
from tests.post_synthesis.twins import MULTIPLIER, MULTIPLIER_PORTS, twin_text

STEPS = 400
REGISTERS = ("INPUTA", "INPUTB", "PIPELINE", "OUTPUT")


def part(instance: str, stimulus: str, **parameters: str) -> Part:
    return Part(
        instance,
        MULTIPLIER,
        MULTIPLIER_PORTS,
        {name: f'"{value}"' for name, value in parameters.items()},
        stimulus,
    )


def registers(clock: str, enable: str, reset: str, names: tuple[str, ...]) -> dict[str, str]:
    return {
        f"REG_{name}_{kind}": value
        for name in names
        for kind, value in (("CLK", clock), ("CE", enable), ("RST", reset))
    }


def stimulus(source: str, steps: int, **values: list[int]) -> dict[tuple[str, str], list[int]]:
    """Numbers of several bits are spread over the pins; what is not named is 0."""
    widths = {"A": 18, "B": 18, "CLK": 4, "CE": 4, "RST": 4}
    pins: dict[tuple[str, str], list[int]] = {}
    for name, numbers in values.items():
        assert len(numbers) == steps
        if name in widths:
            for bit in range(widths[name]):
                pins[source, f"{name}{bit}"] = [number >> bit & 1 for number in numbers]
        else:
            pins[source, name] = numbers
    return pins


def products(response: dict[tuple[str, str], list[int]], instance: str) -> list[int]:
    bits = [response[instance, f"P{bit}"] for bit in range(36)]
    return [sum(values[step] << bit for bit, values in enumerate(bits)) for step in range(len(bits[0]))]


def as_signed(value: int) -> int:
    return value - (value >> 17 << 18)


def random_operands(generator: random.Random) -> list[int]:
    return [generator.choice((generator.getrandbits(18), 1 << 17, (1 << 18) - 1, 0)) for _ in range(STEPS)]


@pytest.fixture(scope="module")
def stepper() -> Stepper:
    parts = [part("plain", "signs"), part("mixed", "mixed")]
    for kind in ("SYNC", "ASYNC"):
        all_four = registers("CLK2", "CE3", "RST1", REGISTERS)
        parts.append(part(f"all_{kind}", "clocked", RESETMODE=kind, **all_four))
    ours = registers("CLK0", "CE0", "RST0", ("INPUTA", "INPUTB", "OUTPUT"))
    parts.append(part("ours", "clocked", **ours))
    return Stepper(twin_text(), parts)


def test_without_registers_signs_are_those_of_the_operands(stepper: Stepper) -> None:
    generator = random.Random(1)
    a, b = random_operands(generator), random_operands(generator)
    ones = [1] * STEPS
    response = stepper.run(
        stimulus("signs", STEPS, A=a, B=b, SIGNEDA=ones, SIGNEDB=ones)
        | stimulus("mixed", STEPS, A=a, B=b, SIGNEDB=ones)
    )
    both = [as_signed(x) * as_signed(y) % (1 << 36) for x, y in zip(a, b, strict=True)]
    second = [x * as_signed(y) % (1 << 36) for x, y in zip(a, b, strict=True)]
    assert products(response, "plain") == both
    assert products(response, "mixed") == second


def test_registers_take_their_own_clock_enable_and_reset(stepper: Stepper) -> None:
    """Against registers written down one after the other, the last first; two steps are a cycle."""
    generator = random.Random(2)
    numbers = {
        name: [value for _ in range(STEPS // 2) for value in [generator.getrandbits(width)] * 2]
        for name, width in (("A", 18), ("B", 18), ("CE", 4))
    }
    resets = [
        value
        for _ in range(STEPS // 2)
        for value in [generator.getrandbits(4) & generator.getrandbits(4)] * 2
    ]
    clocks = [value for _ in range(STEPS // 2) for value in (0, generator.getrandbits(4))]
    response = stepper.run(stimulus("clocked", STEPS, RST=resets, CLK=clocks, **numbers))
    for instance, clock, enable, reset, has_middle, is_asynchronous in (
        ("all_SYNC", 2, 3, 1, True, False),
        ("all_ASYNC", 2, 3, 1, True, True),
        ("ours", 0, 0, 0, False, False),
    ):
        a = b = middle = p = 0
        expected = []
        for step in range(STEPS):
            rises = step % 2 == 1 and clocks[step] >> clock & 1
            clears = resets[step] >> reset & 1
            if clears and (rises or is_asynchronous):
                a = b = middle = p = 0
            elif rises and numbers["CE"][step] >> enable & 1:
                p = middle if has_middle else a * b
                middle = a * b
                a, b = numbers["A"][step], numbers["B"][step]
            expected.append(p)
        assert products(response, instance) == expected, instance


@pytest.mark.parametrize("pin", ["SOURCEA", "SOURCEB"])
def test_a_cascade_ends_the_run(stepper: Stepper, pin: str) -> None:
    with pytest.raises(RunEnded, match="step 3"):
        stepper.run(stimulus("clocked", 4, CLK=[0, 1, 0, 1], **{pin: [0, 0, 1, 1]}))


def test_a_sign_that_changes_ends_the_run(stepper: Stepper) -> None:
    with pytest.raises(RunEnded, match="step 3"):
        stepper.run(stimulus("clocked", 4, CLK=[0, 1, 0, 1], SIGNEDA=[0, 0, 1, 1]))


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("REG_INPUTA_CLK", "CLK4"),
        ("REG_OUTPUT_CE", "CE"),
        ("REG_PIPELINE_RST", "NONE"),
        ("MULT_BYPASS", "ENABLED"),
        ("RESETMODE", "NONE"),
        ("GSR", "ON"),
        ("SOURCEB_MODE", "B_C_DYNAMIC"),
    ],
)
def test_unknown_modes_do_not_elaborate(parameter: str, value: str, tmp_path: Path) -> None:
    assert refusal(twin_text(), part("multiplier", "any"), tmp_path) == ""
    said = refusal(twin_text(), part("multiplier", "any", **{parameter: value}), tmp_path)
    assert "MULT18X18D: " in said or f"Parameter not found: '{parameter}'" in said
