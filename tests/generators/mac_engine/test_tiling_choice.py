"""The tiling that is chosen is the fastest of the likely ones by the cycle model."""

import random

import numpy as np
import pytest

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization, Window
from celosia.generators.mac_engine import tiling_choice
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import TILE_PIXELS
from celosia.generators.mac_engine.tiling import likely_tilings
from celosia.generators.mac_engine.tiling_choice import choose_tiling, timed_cycles


def depthwise(height: int, width: int, channels: int, kernel: int = 3, stride: int = 1) -> Layer:
    """SAME padding."""
    return Layer(
        name="depthwise",
        operator=0,
        kind=LayerKind.DEPTHWISE,
        ifm="ifm",
        ofm="ofm",
        ifm_shape=MapShape(height, width, channels),
        ofm_shape=MapShape(-(-height // stride), -(-width // stride), channels),
        requantization=Requantization.identity(channels),
        window=Window(kernel, kernel, stride, stride, pad_top=kernel // 2, pad_left=kernel // 2),
        weights=np.ones((channels, kernel, kernel), np.int8),
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_no_likely_tiling_is_faster(preset: str) -> None:
    seed = 1
    draw = random.Random(seed)
    config = PRESETS[preset]
    for _ in range(10):
        layer = depthwise(
            draw.randint(1, 12), draw.randint(1, 12), draw.randint(1, 40), draw.choice([1, 3, 5])
        )
        height = layer.ofm_shape.height
        chosen = choose_tiling(layer, height, config)
        likely = likely_tilings(layer, height, config)
        assert chosen in likely, f"seed {seed}"
        assert chosen.tile_rows * chosen.tile_groups <= TILE_PIXELS
        fastest = min(timed_cycles(layer, height, tiling, config) for tiling in likely[:4])
        assert timed_cycles(layer, height, chosen, config) == fastest, f"seed {seed}"


def test_it_decides_where_the_estimate_is_wrong() -> None:
    config = PRESETS["u55-128"]
    layers = [depthwise(size, size, 64) for size in range(3, 12)]
    gains = [
        timed_cycles(
            layer, layer.ofm_shape.height, likely_tilings(layer, layer.ofm_shape.height, config)[0], config
        )
        - timed_cycles(
            layer, layer.ofm_shape.height, choose_tiling(layer, layer.ofm_shape.height, config), config
        )
        for layer in layers
    ]
    assert min(gains) >= 0
    assert max(gains) > 0


def test_the_tiles_that_are_timed_stand_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    config = PRESETS["u55-64"]
    layer = depthwise(40, 40, 80)
    tiling = choose_tiling(layer, 40, config)
    estimated = timed_cycles(layer, 40, tiling, config)
    monkeypatch.setattr(tiling_choice, "_MOST_TILES", 1 << 20)
    assert timed_cycles(layer, 40, tiling, config) == pytest.approx(estimated, rel=0.02)
