"""What fits a board is known before anything is built."""

from dataclasses import replace

import pytest

from celosia.boards.block_count import design_blocks
from celosia.boards.board import BOARDS
from celosia.boards.errors import FitError
from celosia.boards.fit_estimate import estimate_fit, fitting_presets, require_board_fit
from celosia.generators.cnn_array.config import PRESETS as CNN_ARRAYS
from celosia.generators.families import FAMILIES
from celosia.generators.mac_engine.config import PRESETS
from tests.generators.abacus import ABACUS, AbacusConfig

ULX3S = BOARDS["ulx3s_85f"]


def small(luts: int = 83640, multipliers: int = 156, block_rams: int = 208):
    part = replace(ULX3S.part, luts=luts, multipliers=multipliers, block_rams=block_rams)
    return replace(ULX3S, part=part)


@pytest.mark.parametrize("name", ["ulx3s_85f", "ecpix5_85f", "arty_a7_100t"])
def test_the_largest_preset_is_too_large_for_these_boards(name: str) -> None:
    assert [preset for preset in fitting_presets(BOARDS[name]) if preset in PRESETS] == [
        "u55-32",
        "u55-64",
        "u55-128",
    ]


def test_every_preset_fits_a_large_device() -> None:
    assert set(PRESETS) <= set(fitting_presets(BOARDS["genesys2"]))


def test_an_estimate_tells_every_kind_of_cell() -> None:
    config = PRESETS["u55-64"]
    estimate = estimate_fit(ULX3S, config)
    luts, multipliers, block_rams = estimate.usage
    blocks = design_blocks(ULX3S, config)
    assert (multipliers.used, block_rams.used) == (blocks.multipliers, blocks.block_rams)
    assert (luts.available, multipliers.available, block_rams.available) == (83640, 156, 208)
    assert (estimate.missing, estimate.largest_preset) == ((), "u55-128")
    assert {"lut4", "dsp", "bram", "fmax_mhz", "fits"} <= set(estimate.values())


def test_wider_luts_are_fewer() -> None:
    """And are told by their own name."""
    (luts, *_), (wider, *_) = (
        estimate_fit(BOARDS[name], PRESETS["u55-64"]).usage for name in ("ecpix5_85f", "arty_a7_100t")
    )
    assert (luts.name, luts.key, wider.name, wider.key) == ("LUT4", "lut4", "LUT6", "lut6")
    assert wider.used == pytest.approx(0.65 * luts.used, abs=1)


def test_larger_engines_take_more_luts() -> None:
    estimates = [estimate_fit(ULX3S, config).usage[0].used for config in PRESETS.values()]
    assert estimates == sorted(estimates)
    assert len(set(estimates)) == len(estimates)


def test_what_does_not_fit_is_told_by_how_much_and_what_would() -> None:
    with pytest.raises(
        FitError,
        match=r"does not fit ulx3s_85f: 140 MULT18X18D too few; the largest preset that fits is u55-128$",
    ):
        require_board_fit(ULX3S, PRESETS["u55-256"])
    with pytest.raises(FitError, match=r"13 DP16KD too few; the largest preset that fits is u55-32$"):
        require_board_fit(small(multipliers=60), replace(PRESETS["u55-32"], buffer_kib=256, weight_kib=128))
    with pytest.raises(FitError, match="LUT4 too few; no preset of mac-engine fits"):
        require_board_fit(small(luts=1000), PRESETS["u55-32"])


def test_the_largest_preset_that_fits_is_of_the_same_family(monkeypatch: pytest.MonkeyPatch) -> None:
    presets = {**ABACUS.presets, "a-100": AbacusConfig(rows=100)}
    monkeypatch.setattr("celosia.boards.fit_estimate.PRESETS", {**PRESETS, **presets})
    monkeypatch.setattr("celosia.generators.families.FAMILIES", (*FAMILIES, replace(ABACUS, presets=presets)))
    assert {"u55-32", "a-1"} <= set(fitting_presets(small(multipliers=60)))
    assert estimate_fit(small(multipliers=60), PRESETS["u55-32"]).largest_preset == "u55-32"
    with pytest.raises(FitError, match="140 MULT18X18D too few; the largest preset that fits is a-1"):
        require_board_fit(small(multipliers=60), AbacusConfig(rows=200))


def test_an_engine_with_a_wide_port_is_refused() -> None:
    """Memories of the boards here have 64 bits."""
    config = replace(CNN_ARRAYS["catapult-8x8-fixed16"], data_bits=128)
    with pytest.raises(
        FitError, match=r"a memory port of 64 bits, not 128: set data_bits to 64; the largest"
    ):
        require_board_fit(BOARDS["genesys2"], config)


class TwoPorts(AbacusConfig):
    @property
    def weights_port_bits(self) -> int:
        return 128


def test_an_engine_with_a_second_port_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """No board here has a second memory port."""
    presets = {**ABACUS.presets, "two": TwoPorts()}
    monkeypatch.setattr("celosia.boards.fit_estimate.PRESETS", presets)
    monkeypatch.setattr("celosia.generators.families.FAMILIES", (replace(ABACUS, presets=presets),))
    assert fitting_presets(ULX3S) == ("a-1",)
    with pytest.raises(
        FitError, match=r"ulx3s_85f: 1 memory port \(for weights\) too few; the largest .* a-1"
    ):
        require_board_fit(ULX3S, TwoPorts())


def test_what_fits_passes() -> None:
    require_board_fit(ULX3S, PRESETS["u55-128"])
