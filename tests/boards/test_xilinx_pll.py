"""The clock manager of the 7 series: what it can make, and what the datasheet forbids."""

from fractions import Fraction

import pytest

from celosia.boards.xilinx_pll import XilinxPll, XilinxPllSettings, choose_xilinx_pll

MHZ = 1_000_000


def test_outputs_are_the_oscillator_divided() -> None:
    settings = XilinxPllSettings(100 * MHZ, multiplier=21, input_divider=2, dividers=(13, 7))
    assert settings.oscillator_frequency == 1050 * MHZ
    assert settings.frequencies == (Fraction(1050 * MHZ, 13), 150 * MHZ)


@pytest.mark.parametrize(
    ("frequency", "multiplier", "input_divider", "dividers", "message"),
    [
        (100, 13, 1, (10,), "oscillator_frequency must be 600..1200 MHz, not 1300"),
        (100, 11, 2, (10,), "oscillator_frequency must be 600..1200 MHz, not 550"),
        (5, 64, 1, (10,), "input_frequency must be 10..800 MHz, not 5"),
        (900, 2, 2, (10,), "input_frequency must be 10..800 MHz, not 900"),
        (500, 2, 1, (10,), "detector_frequency must be 10..450 MHz, not 500"),
        (100, 64, 11, (10,), "detector_frequency must be 10..450 MHz, not 9.09091"),
        (100, 12, 1, (2,), "the frequency of output 0 must be 4.69..464 MHz, not 600"),
        (100, 10, 1, (4, 2), "the frequency of output 1 must be 4.69..464 MHz, not 500"),
        (100, 65, 10, (10,), "multiplier must be in 2..64, not 65"),
        (100, 1, 1, (10,), "multiplier must be in 2..64, not 1"),
        (100, 64, 107, (10,), "input_divider must be in 1..106, not 107"),
        (100, 6, 1, (129,), "divider must be in 1..128, not 129"),
        (100, 6, 1, (0,), "divider must be in 1..128, not 0"),
        (100, 6, 1, (), "dividers must be 1..3, not 0"),
        (100, 6, 1, (6, 6, 6, 6), "dividers must be 1..3, not 4"),
    ],
)
def test_what_the_datasheet_forbids_is_refused_by_name(
    frequency: int, multiplier: int, input_divider: int, dividers: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        XilinxPllSettings(frequency * MHZ, multiplier, input_divider, dividers)


def test_a_divider_is_a_whole_number() -> None:
    with pytest.raises(TypeError, match=r"divider must be an int, not 12\.5"):
        XilinxPllSettings(100 * MHZ, 10, 1, (12.5,))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("oscillator", "wanted"), [(100, 80), (200, 100), (100, 100), (200, 125)])
def test_common_clocks_are_made_exactly_and_without_dividing_the_input(oscillator: int, wanted: int) -> None:
    settings = choose_xilinx_pll(oscillator * MHZ, [wanted * MHZ])
    assert settings.frequencies == (wanted * MHZ,)
    assert settings.input_divider == 1


@pytest.mark.parametrize("wanted", [5_000_000, 33_333_333, 77_700_000, 131_313_131, 463_999_999])
def test_none_is_above_what_is_wanted_nor_far_below(wanted: int) -> None:
    (frequency,) = choose_xilinx_pll(100 * MHZ, [wanted]).frequencies
    assert 0.99 * wanted <= frequency <= wanted


def test_what_no_setting_makes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"wanted must be 4\.69\.\.464 MHz, not 500"):
        choose_xilinx_pll(100 * MHZ, [500 * MHZ])
    with pytest.raises(ValueError, match=r"wanted must be 4\.69\.\.464 MHz, not 4"):
        choose_xilinx_pll(100 * MHZ, [4 * MHZ])
    # 600 MHz divided by 128 is less than the least, and by 127 too much.
    with pytest.raises(ValueError, match="no setting makes 4700000 Hz of 100000000 Hz: ask for more"):
        choose_xilinx_pll(100 * MHZ, [4_700_000])
    with pytest.raises(ValueError, match=r"input_frequency must be 10\.\.800 MHz, not 9"):
        choose_xilinx_pll(9 * MHZ, [50 * MHZ])
    with pytest.raises(ValueError, match=r"wanted must have 1\.\.3 frequencies, not 0"):
        choose_xilinx_pll(100 * MHZ, [])


def test_there_is_a_wire_for_each_output() -> None:
    assert len(XilinxPll(choose_xilinx_pll(100 * MHZ, [100 * MHZ, 50 * MHZ])).clocks) == 2
