"""The ECP5's PLL: the frequencies it makes are legal and the best there are."""

import re
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from celosia.boards.ecp5_pll import Ecp5Pll, Ecp5PllOutput, Ecp5PllSettings, choose_pll, with_phase
from tests.gateware import convert

MHZ = 1_000_000
LEGAL = Ecp5PllSettings(25 * MHZ, 1, 8, 4, (Ecp5PllOutput(8),))


def test_frequencies_follow_from_the_dividers() -> None:
    settings = Ecp5PllSettings(25 * MHZ, 2, 31, 2, (Ecp5PllOutput(8), Ecp5PllOutput(6)))
    assert settings.detector_frequency == 12.5 * MHZ
    assert settings.oscillator_frequency == 775 * MHZ
    assert settings.frequencies == (Fraction(775 * MHZ, 8), Fraction(775 * MHZ, 6))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_frequency": 7 * MHZ}, "input_frequency must be 8..400 MHz, not 7"),
        ({"input_divider": 3}, "detector_frequency must be 10..400 MHz, not 8.33333"),
        ({"feedback_divider": 9}, "oscillator_frequency must be 400..800 MHz, not 900"),
        ({"feedback_divider": 3}, "oscillator_frequency must be 400..800 MHz, not 300"),
        (
            {"feedback_divider": 32, "feedback_output_divider": 1},
            "feedback's frequency must be 3.125..400 MHz, not 800",
        ),
        ({"outputs": (Ecp5PllOutput(1),)}, "frequency of output 0 must be 3.125..400 MHz, not 800"),
        ({"outputs": ()}, "outputs must be 1..3, not 0"),
        ({"input_divider": 0}, "input_divider must be in 1..128, not 0"),
        ({"feedback_output_divider": 129}, "feedback_output_divider must be in 1..128, not 129"),
    ],
)
def test_refuses_what_the_datasheet_does_not_allow(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(LEGAL, **change)


def test_an_output_is_late_by_less_than_its_cycle() -> None:
    not_an_int: Any = "8"
    with pytest.raises(ValueError, match=r"phase must be in 0\.\.63, not 64"):
        Ecp5PllOutput(8, 64)
    with pytest.raises(TypeError, match="divider must be an int, not '8'"):
        Ecp5PllOutput(not_an_int)


def every_frequency(input_frequency: int) -> set[Fraction]:
    """All that one output can be: the rules once more, as plain loops."""
    found = set()
    for input_divider in range(1, 129):
        if 10 * MHZ * input_divider <= input_frequency:
            for factor in range(1, 128 * 128 + 1):
                oscillator = Fraction(input_frequency * factor, input_divider)
                if oscillator > 800 * MHZ:
                    break
                parts = [part for part in range(1, 129) if factor % part == 0 and factor // part <= 128]
                feedback = [oscillator / part for part in parts]
                if oscillator >= 400 * MHZ and any(3_125_000 <= one <= 400 * MHZ for one in feedback):
                    found |= {oscillator / divider for divider in range(1, 129)}
    return {frequency for frequency in found if 3_125_000 <= frequency <= 400 * MHZ}


@pytest.mark.parametrize("input_mhz", [12, 25, 100])
def test_a_single_output_is_the_highest_there_is_not_above_what_is_wanted(input_mhz: int) -> None:
    legal = sorted(every_frequency(input_mhz * MHZ))
    for wanted in (*range(4 * MHZ, 400 * MHZ, 13_700_001), 80 * MHZ, 133 * MHZ, 400 * MHZ):
        best = max(frequency for frequency in legal if frequency <= wanted)
        assert choose_pll(input_mhz * MHZ, (wanted,)).frequencies == (best,)


def test_the_first_output_is_served_best() -> None:
    settings = choose_pll(25 * MHZ, (97 * MHZ, 133 * MHZ))
    assert settings.frequencies[0] == choose_pll(25 * MHZ, (97 * MHZ,)).frequencies[0] == 96_875_000
    assert settings.frequencies[1] == Fraction(775 * MHZ, 6)
    assert choose_pll(25 * MHZ, (80 * MHZ, 100 * MHZ, 133 * MHZ)).frequencies == (
        80 * MHZ,
        100 * MHZ,
        Fraction(800 * MHZ, 7),
    )


def test_of_equal_settings_the_fastest_phase_detector_is_taken() -> None:
    settings = choose_pll(25 * MHZ, (100 * MHZ,))
    assert (settings.input_divider, settings.oscillator_frequency) == (1, 800 * MHZ)


@pytest.mark.parametrize(
    ("input_frequency", "wanted", "message"),
    [
        (5 * MHZ, (50 * MHZ,), "input_frequency must be 8..400 MHz, not 5"),
        (9 * MHZ, (50 * MHZ,), "no setting makes 50000000 Hz of 9000000 Hz"),
        (25 * MHZ, (3 * MHZ,), "wanted must be 3.125..400 MHz, not 3"),
        (25 * MHZ, (), "wanted must have 1..3 frequencies, not 0"),
        (25 * MHZ, (50 * MHZ,) * 4, "wanted must have 1..3 frequencies, not 4"),
    ],
)
def test_refuses_what_cannot_be_made(input_frequency: int, wanted: tuple[int, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose_pll(input_frequency, wanted)


@pytest.mark.parametrize(("degrees", "eighths"), [(0, 0), (90, 12), (192, 26), (359, 0)])
def test_a_phase_is_the_nearest_eighth_of_the_oscillator_s_cycle(degrees: int, eighths: int) -> None:
    settings = with_phase(choose_pll(25 * MHZ, (80 * MHZ, 134 * MHZ)), 1, degrees)
    assert settings.outputs[1] == Ecp5PllOutput(6, eighths)
    assert settings.outputs[0] == Ecp5PllOutput(10, 0)


def test_refuses_a_phase_of_a_whole_turn() -> None:
    with pytest.raises(ValueError, match=r"degrees must be in 0\.\.360, not 360"):
        with_phase(LEGAL, 0, 360)


def test_the_block_has_the_settings() -> None:
    settings = with_phase(choose_pll(25 * MHZ, (80 * MHZ, 134 * MHZ)), 1, 192)
    verilog = convert(Ecp5Pll(settings))
    parameters = dict(re.findall(r"^    \.(\w+)\((32'd\d+)\)", verilog, re.MULTILINE))
    assert {name: parameters[name] for name in ("CLKI_DIV", "CLKOP_DIV", "CLKOS_DIV")} == {
        "CLKI_DIV": "32'd1",
        "CLKOP_DIV": "32'd10",
        "CLKOS_DIV": "32'd6",
    }
    # 26 eighths late: three whole cycles and two eighths after 5, in a divider of 6.
    assert (parameters["CLKOS_CPHASE"], parameters["CLKOS_FPHASE"]) == ("32'd2", "32'd2")
    assert parameters["CLKOP_CPHASE"] == "32'd9"
    assert int(parameters["CLKFB_DIV"][4:]) * int(parameters["CLKOS3_DIV"][4:]) == 32
    assert 'FREQUENCY_PIN_CLKOP = "80"' in verilog
