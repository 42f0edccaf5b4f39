"""The best tiling of a layer: estimates name a few, the exact timing of COMPUTE and ACTIVATE decides between them."""

from functools import lru_cache

from ..chassis.layer import Layer
from ..chassis.tiles.activate_timing import ActivateTiming
from ..chassis.tiles.command_fields import tile_count, tiling_fields
from ..chassis.tiles.tiling import Tiling, channel_bricks, output_blocks
from .compute_timing import ComputeTiming
from .config import MacEngineConfig
from .tiling import likely_tilings

_CANDIDATES = 4
"""Tilings that are timed: the estimate is right about the order of those that differ by much."""

_MOST_TILES = 1000
"""Tiles of a layer that are timed; the others are taken to be like them."""


def choose_tiling(layer: Layer, height: int, config: MacEngineConfig) -> Tiling:
    """The fastest tiling for `height` rows of the layer's ofm.

    Raises:
        ValueError: no legal split (a stride beyond what one window read covers).
    """
    return min(
        likely_tilings(layer, height, config)[:_CANDIDATES],
        key=lambda tiling: timed_cycles(layer, height, tiling, config),
    )


def timed_cycles(layer: Layer, height: int, tiling: Tiling, config: MacEngineConfig) -> int:
    """Cycles until a COMPUTE and an ACTIVATE of these rows are complete that start together and wait for nobody."""
    fields = {
        **tiling_fields(layer, tiling, height, layer.ofm_shape.width, output_blocks(layer, config)),
        "mode": int(tiling.mode),
        "kernel_height": layer.window.height,
        "kernel_width": layer.window.width,
        "taps": tiling.taps,
        "channel_bricks": channel_bricks(layer),
        "parameter_uniform": int(layer.requantization.is_uniform),
        "uniform_scale": int(layer.requantization.has_uniform_scale),
    }
    return _timed(tuple(fields.items()), config, _MOST_TILES)


@lru_cache(maxsize=4096)
def _timed(items: tuple[tuple[str, int], ...], config: MacEngineConfig, most_tiles: int) -> int:
    fields = {**dict(items), "accumulate": 0, "partial": 0, "softmax_lanes": 0}
    compute, activate = ComputeTiming(config, fields, 0), ActivateTiming(config, fields, 0)
    tiles = tile_count(fields)
    freeing = [-1, -1]
    timed = min(tiles, most_tiles)
    for _ in range(timed):
        activate.drain(compute.fill(freeing[-2] + 1).filled)
        freeing.append(activate.freeing)
    return activate.completed * tiles // timed
