"""What an engine would win that skips reduction steps whose weights are all zero, and what the skipping would cost.

    python -m benchmarks.zero_skipping                     (in the checkout)

A step multiplies the 8 lanes of one channel brick with `core_outputs` output channels on each core that works on
blocks; all cores run in lockstep, so a step can be left out only if all of these weights are zero. The weights are
those of the published networks, laid out for each preset. "Reordered": the channels of each map in an order in which
zeros meet in the bricks that its reader takes, with the producer's output channels permuted alike.

Cycles are estimated tile by tile as the compiler does: a layer takes the longer of its tiles and of its weights' way
through the port, and a step that is left out still takes the step walk's two cycles, hidden behind others.
"""

import math
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.step_filter import StepFilter
from celosia.boards.ecp5_synthesis import synthesize
from celosia.generators.chassis.layer import Layer
from celosia.generators.chassis.tiles.step_walk import STEP_WALK_CYCLES
from celosia.generators.chassis.tiles.tiling import Tiling, reads_weights
from celosia.generators.mac_engine.config import PRESETS, MacEngineConfig
from celosia.generators.mac_engine.isa import BRICK_CHANNELS, Mode
from celosia.generators.mac_engine.tiling_choice import choose_tiling
from celosia.generators.mac_engine.weight_code import encode_if_better
from celosia.generators.mac_engine.weight_layout import weight_blocks
from celosia.host.section_plan import plan_graph
from celosia.host.tflite import load_tflite
from tests.gateware import convert
from tests.models.networks import NETWORKS
from tests.models.recorded_cycles import recorded_cycles

MODELS = Path(__file__).resolve().parent.parent.parent / "shared" / "models"
SCORED = tuple(network for network in NETWORKS if network.startswith("mlperf_"))
TURN_CYCLES = 20

Placed = tuple[Layer, Tiling]
Works = npt.NDArray[np.bool_]
"""[block group, step]: whether the step has a weight other than zero."""


def layers_of(network: str, config: MacEngineConfig) -> Iterator[Placed]:
    """The layers, as the compiler tiles them."""
    for plan in plan_graph(load_tflite(MODELS / network / "model.tflite"), config).sections.values():
        for layer, places in zip(plan.layers, plan.allocation.layers, strict=True):
            first, last = places.stripes[0]
            tiling = choose_tiling(layer, last - first, config)
            yield layer, tiling


def working_steps(layer: Layer, tiling: Tiling, config: MacEngineConfig) -> Works:
    """Of a layer's weights in their order in the store."""
    blocks = weight_blocks(layer, tiling, config)
    return np.any(blocks, axis=(4, 5, 6)).reshape(len(blocks), -1)


def gathered(patterns: Works, size: int) -> npt.NDArray[np.intp]:
    """An order of the rows of `patterns` in which every `size` of them have few columns set together; greedy."""
    left = list(np.argsort(patterns.sum(1), kind="stable"))
    order: list[int] = []
    while left:
        union = np.zeros(patterns.shape[1], bool)
        for _ in range(min(size, len(left))):
            added = (patterns[left] & ~union).sum(1)
            chosen = left.pop(int(added.argmin()))
            union |= patterns[chosen]
            order.append(chosen)
    return np.array(order)


def reordered(layers: Sequence[Placed], config: MacEngineConfig) -> list[Layer]:
    """The layers with the channels of their maps in an order that suits the input bricks of each map's reader.

    From the last layer to the first: a map's producer must follow the order that its reader asks for, and a depthwise
    layer hands it on. Maps that more than one layer reads or writes, and those of other layers, stay as they are.
    """
    readers = Counter(layer.ifm for layer, _ in layers) + Counter(layer.ifm2 for layer, _ in layers)
    writers = Counter(layer.ofm for layer, _ in layers)
    channels = {layer.ofm: layer.ofm_shape.channels for layer, _ in layers}
    orders: dict[str, npt.NDArray[np.intp]] = {}
    result: list[Layer] = []
    for layer, tiling in reversed(layers):
        order = orders.get(layer.ofm)
        weights = layer.weights
        if weights is not None and order is not None:
            weights = weights[order]
        is_free = (
            readers[layer.ifm] == writers[layer.ifm] == 1 and channels[layer.ifm] == layer.ifm_shape.channels
        )
        if weights is not None and tiling.mode is Mode.DENSE and weights.ndim == 4 and is_free:
            outputs = config.core_outputs * tiling.block_cores
            padded = np.pad(weights, ((0, -len(weights) % outputs), (0, 0), (0, 0), (0, 0)))
            by_group = (padded.reshape(-1, outputs, *weights.shape[1:]) != 0).max(axis=1)
            wanted = gathered(
                np.moveaxis(np.asarray(by_group), -1, 0).reshape(weights.shape[3], -1), BRICK_CHANNELS
            )
            orders[layer.ifm] = wanted
            weights = weights[..., wanted]
        elif tiling.mode is Mode.DEPTHWISE and is_free and order is not None:
            orders[layer.ifm] = order
        elif order is not None and tiling.mode not in (Mode.DENSE, Mode.PACKED):
            return [layer for layer, _ in layers]  # it would have to hand on an order and cannot
        result.append(layer if weights is None else replace(layer, weights=np.ascontiguousarray(weights)))
    return result[::-1]


def layer_cycles(layer: Layer, tiling: Tiling, works: Works, config: MacEngineConfig, *, skip: bool) -> int:
    """Estimated, were the layer alone."""
    height, width = layer.ofm_shape.height, layer.ofm_shape.width
    loading = tiling.block_cores * config.block_words
    cycles = 0
    for group in works:
        for top in range(0, height, tiling.tile_rows):
            rows = min(tiling.tile_rows, height - top)
            for left in range(0, width, tiling.tile_groups * tiling.pixel_cores):
                pixels = min(tiling.tile_groups * tiling.pixel_cores, width - left)
                period = max(STEP_WALK_CYCLES, rows * -(-pixels // tiling.pixel_cores), loading)
                reduction = len(group) * period
                if skip:
                    reduction = max(STEP_WALK_CYCLES * len(group), max(1, int(group.sum())) * period)
                drain = tiling.block_cores * rows * pixels * config.core_outputs // config.lanes
                cycles += max(reduction, drain, -(-(reduction + drain + TURN_CYCLES) // 2))
    return max(cycles, port_cycles(layer, tiling, config))


def port_cycles(layer: Layer, tiling: Tiling, config: MacEngineConfig) -> int:
    """For the weights as they are stored."""
    content = weight_blocks(layer, tiling, config).tobytes()
    coded = encode_if_better(content)
    return len(content if coded is None else coded.content) // 8


def study(network: str, preset: str) -> tuple[float, float, float, float]:
    """Shares: weights that are zero, steps that can be skipped, cycles of the network won as it is and reordered."""
    config = PRESETS[preset]
    layers = list(layers_of(network, config))
    zeros = weights = skipped = steps = 0
    won = [0, 0]
    for (layer, tiling), other in zip(layers, reordered(layers, config), strict=True):
        if layer.weights is None or not reads_weights(tiling.mode):
            continue
        zeros += int((layer.weights == 0).sum())
        weights += layer.weights.size
        works = working_steps(layer, tiling, config)
        skipped += int((~works).sum())
        steps += works.size
        before = layer_cycles(layer, tiling, works, config, skip=False)
        for place, changed in enumerate((layer, other)):
            works = working_steps(changed, tiling, config)
            won[place] += before - layer_cycles(changed, tiling, works, config, skip=True)
    cycles = recorded_cycles()[network, preset]
    return zeros / weights, skipped / steps, won[0] / cycles, won[1] / cycles


def area() -> dict[str, int]:
    """Cells of the gateware that drops steps, on ECP5."""
    with tempfile.TemporaryDirectory() as folder:
        return synthesize([("step_filter.v", convert(StepFilter()))], "top", Path(folder)).cells


def main() -> None:
    """Measure and print."""
    print("| network | preset | zero weights | steps skipped | cycles won | reordered |")
    print("|---|---|--:|--:|--:|--:|")
    logarithms = [0.0, 0.0]
    for network in NETWORKS:
        for preset in PRESETS:
            zeros, skipped, *won = study(network, preset)
            print(
                f"| {network} | {preset} | {zeros:.1%} | {skipped:.1%} | {won[0]:.2%} | {won[1]:.2%} |",
                flush=True,
            )
            if network in SCORED:
                logarithms = [
                    total + math.log(1 - share) for total, share in zip(logarithms, won, strict=True)
                ]
    for what, total in zip(("as it is", "reordered"), logarithms, strict=True):
        print(
            f"geometric mean of the scored points, {what}: {math.exp(total / len(SCORED) / len(PRESETS)):.4f}"
        )
    print(f"cells of the step filter: {area()}")


if __name__ == "__main__":
    main()
