"""The PLL's words in a routed design are those that a route with these settings writes."""

import pytest

from celosia.boards.ecp5_pll import choose_pll, with_phase
from celosia.boards.ecp5_pll_words import pll_words, sed_script, with_pll
from celosia.boards.errors import BuildError

MHZ = 1_000_000
SETTINGS = with_phase(choose_pll(25 * MHZ, (80 * MHZ, 134 * MHZ)), 1, 192)

# What nextpnr 0.11 wrote for a PLL with two outputs at other settings, shortened.
ROUTED = """\
.tile MIB_R4C0:PLL0_UL
arc: E1_CLKFB E1_CLKINTFB

.tile_group MIB_R4C0:PLL0_UL MIB_R5C0:PLL1_UL
word: CLKI_DIV 0000001
word: CLKFB_DIV 0000110
word: CLKOP_DIV 0000100
word: CLKOP_CPHASE 0000100
word: CLKOP_FPHASE 000
word: CLKOS_DIV 0000011
word: CLKOS_CPHASE 0000011
word: CLKOS_FPHASE 001
word: CLKOS2_DIV 0000111
word: CLKOS2_CPHASE 0000000
word: CLKOS2_FPHASE 000
word: CLKOS3_DIV 0000010
word: CLKOS3_CPHASE 0000010
word: CLKOS3_FPHASE 000
word: LPF_RESISTOR 0001000
enum: MODE EHXPLLL
enum: CLKOP_ENABLE ENABLED
enum: CLKOS_ENABLE ENABLED
enum: CLKOS2_ENABLE DISABLED
enum: CLKOS3_ENABLE ENABLED
"""


def test_dividers_are_one_less_and_phases_as_they_are() -> None:
    assert SETTINGS.frequencies[0] == 80 * MHZ
    words = pll_words(SETTINGS)
    assert (words["CLKI_DIV"], words["CLKOP_DIV"], words["CLKOS_DIV"]) == ("0000000", "0001001", "0000101")
    # 26 eighths late: three whole cycles and two eighths after 5, in a divider of 6.
    assert (words["CLKOS_CPHASE"], words["CLKOS_FPHASE"]) == ("0000010", "010")
    assert words["CLKOP_CPHASE"] == "0001001"


def test_only_the_words_change() -> None:
    changed = with_pll(ROUTED, SETTINGS).splitlines()
    for old, new in zip(ROUTED.splitlines(), changed, strict=True):
        if old != new:
            kind, name, bits = new.split()
            assert kind == "word:"
            assert bits == pll_words(SETTINGS)[name]
    assert "word: CLKOP_DIV 0001001" in changed
    assert "word: CLKOS2_DIV 0000111" in changed, "an output that is off"


def test_the_script_for_sed_names_every_word() -> None:
    lines = sed_script(SETTINGS).splitlines()
    assert "s/^word: CLKOP_DIV [01]*$/word: CLKOP_DIV 0001001/" in lines
    assert len(lines) == len(pll_words(SETTINGS))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (ROUTED.replace("EHXPLLL", "OTHER"), "must have one PLL"),
        (ROUTED + ROUTED, "must have one PLL"),
        (ROUTED.replace("word: CLKOS_CPHASE", "word: CLKOS_COARSE"), "has 0 words CLKOS_CPHASE"),
        (ROUTED.replace("CLKOS2_ENABLE DISABLED", "CLKOS2_ENABLE ENABLED"), "has 4 outputs on, not 3"),
    ],
)
def test_another_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(BuildError, match=message):
        with_pll(text, SETTINGS)
