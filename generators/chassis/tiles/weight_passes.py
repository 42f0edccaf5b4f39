"""How the weights and parameters of a layer are cut into what the rings that hold them take at a time."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..layer import Layer
from .command_fields import BlockRange, ReductionBox
from .commands import BRICK_CHANNELS, PARAMETER_BEATS
from .tile_config import StoredWeightsConfig
from .tiling import Tiling, blocks_per_brick, output_blocks


def _step(tiling: Tiling, config: StoredWeightsConfig) -> int:
    """Output blocks that a pass must keep together: those of a block group, and those of a brick."""
    return max(tiling.block_cores, config.blocks_per_brick)


def step_bytes(tiling: Tiling, blocks: np.ndarray, config: StoredWeightsConfig) -> int:
    """Their weights."""
    return blocks[0].nbytes * -(-_step(tiling, config) // tiling.block_cores)


def weight_passes(
    layer: Layer, tiling: Tiling, blocks: np.ndarray | None, limit: int, config: StoredWeightsConfig
) -> list[BlockRange]:
    """Cut the output blocks so that a pass, one COMPUTE, has at most `limit` words of weights if a block group allows
    it, and fills at most half of the ring of parameters.

    A pass starts on a whole ifm brick, or lies within one.
    """
    total = output_blocks(layer, config)
    per_eight = BRICK_CHANNELS // config.core_outputs
    step = _step(tiling, config)
    size = total
    if blocks is not None:
        size = min(size, limit * config.weight_word_bytes // blocks[0].nbytes * tiling.block_cores)
    if not layer.requantization.is_uniform:
        size = min(size, config.parameter_beats // 2 // PARAMETER_BEATS * per_eight)
    if size < total:
        size = max(step, size // step * step)
    per_brick = blocks_per_brick(layer, config)
    passes: list[BlockRange] = []
    first = 0
    while first < total:
        last = min(first + size, total)
        if per_brick:
            brick_end = (first // per_brick + 1) * per_brick
            if first % per_brick:
                last = min(last, brick_end)
            elif brick_end <= last < total:
                last = last // per_brick * per_brick
        passes.append(BlockRange(first, last))
        first = last
    return passes


def parameter_groups(
    passes: Sequence[BlockRange], tiling: Tiling, layer: Layer, config: StoredWeightsConfig
) -> list[list[BlockRange]]:
    """Passes that one ACTIVATE drains: as many as fill at most half of the parameter store."""
    limit = config.parameter_beats // 2 // PARAMETER_BEATS * (BRICK_CHANNELS // config.core_outputs)
    groups: list[list[BlockRange]] = []
    for part in passes:
        fits = groups and (layer.requantization.is_uniform or part.last - groups[-1][0].first <= limit)
        # Only whole block groups may lie in front of others.
        if groups and fits and (part.first - groups[-1][0].first) % tiling.block_cores == 0:
            groups[-1].append(part)
        else:
            groups.append([part])
    return groups


def ranges(total: int, size: int) -> Iterator[tuple[int, int]]:
    """`total` in pieces of `size`, low..high-1 each."""
    for low in range(0, total, size):
        yield low, min(low + size, total)


def reduction_chunks(blocks: np.ndarray, limit: int) -> list[ReductionBox]:
    """Cut the reduction of one block group into boxes of at most `limit` bytes of weights, in loop order."""
    rows, columns, bricks = blocks.shape[1:4]
    brick = blocks[0, 0, 0, 0].nbytes
    if brick * bricks * columns <= limit:
        size = limit // (brick * bricks * columns)
        return [ReductionBox(part, (0, columns), (0, bricks)) for part in ranges(rows, size)]
    if brick * bricks <= limit:
        size = limit // (brick * bricks)
        return [
            ReductionBox((row, row + 1), part, (0, bricks))
            for row in range(rows)
            for part in ranges(columns, size)
        ]
    return [
        ReductionBox((row, row + 1), (column, column + 1), part)
        for row in range(rows)
        for column in range(columns)
        for part in ranges(bricks, limit // brick)
    ]
