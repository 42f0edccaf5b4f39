"""How large the passes are in which the weights of each layer go through the ring of the weight store.

A pass is a WEIGHTS and its COMPUTE. Large ones cost fewer commands; small ones let COMPUTE start earlier, and leave
room in the ring for the next pass while one is being read. What is better depends on the layers before and behind, so
that all of them are weighed against each other, with estimated cycles.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..chassis.command import COMMAND_BEATS
from ..chassis.layer_plan import LayerPlan
from ..chassis.tiles.parameter_content import parameter_content
from ..chassis.tiles.tiling import output_blocks, reads_weights
from .config import MacEngineConfig
from .isa import WEIGHT_WORD_BYTES
from .tiling import estimated_cycles
from .tiling_choice import choose_tiling

_PASSES_IN_STORE = (2, 3, 4, 6, 8, 12)
"""A pass fills at most one of so many parts of the store: the first, unless another is better."""

_SWEEPS = 2
"""Over all layers: what does not help at first may, once other layers have changed."""

_COMPUTE_CYCLES = 25
"""Of a COMPUTE, beside its steps."""

_RESTART_CYCLES = 45
"""From a part of the ring becoming free to the first beat for it."""

_BEAT_BITS = 64


@dataclass(frozen=True, slots=True)
class WeightDemand:
    """What a layer asks of the ring.

    Attributes:
        groups: block groups.
        group_words: 128-bit words of a block group, 0 if it reads no weights.
        word_beats: beats in which a word comes; from a slower memory, cycles.
        other_beats: beats of its parameters; likewise.
        cycles: of COMPUTE, in all.
        stripes: how often all of it goes through the ring if it does so in more than one pass.
    """

    groups: int
    group_words: int
    word_beats: float
    other_beats: float
    cycles: int
    stripes: int

    def passes(self, limit: int) -> list[int]:
        """Block groups of each pass of at most `limit` words, at least one."""
        if not self.group_words:
            return [self.groups]
        size = max(1, limit // self.group_words)
        sizes = [size] * (self.groups // size)
        if self.groups % size:
            sizes.append(self.groups % size)
        return sizes * self.stripes if len(sizes) > 1 else sizes

    def loads(self, groups: int, store_words: int) -> list[int]:
        """Words of each WEIGHTS of a pass: several if not even one block group fits half of the store."""
        words, largest = groups * self.group_words, store_words // 2
        if words <= largest:
            return [words]
        return [largest] * (words // largest) + [words % largest] * bool(words % largest)


def weight_demand(plan: LayerPlan, config: MacEngineConfig, beat_cycles: float = 1.0) -> WeightDemand:
    """The demand of one layer; a weight is taken to have the entropy of a Laplace distribution."""
    layer = plan.layer
    heights = [last - first for first, last in plan.stripes]
    tiling = choose_tiling(layer, max(heights, key=heights.count), config)
    groups = -(-output_blocks(layer, config) // tiling.block_cores)
    group_words, word_beats = 0, 0.0
    if reads_weights(tiling.mode) and layer.weights is not None:
        group_words = tiling.steps * tiling.block_cores * config.block_words
        magnitude = max(0.5, float(np.abs(layer.weights.astype(np.int32)).mean()))
        bits = layer.weights.size * float(np.log2(2 * np.e * magnitude))
        word_beats = min(WEIGHT_WORD_BYTES * 8, bits / (group_words * groups)) / _BEAT_BITS
    return WeightDemand(
        groups=groups,
        group_words=group_words,
        word_beats=word_beats * beat_cycles,
        other_beats=len(parameter_content(layer.requantization)) // 8 * beat_cycles,
        cycles=sum(estimated_cycles(layer, height, tiling, config) for height in heights),
        stripes=len(plan.stripes),
    )


def estimated_finish(
    demands: Sequence[WeightDemand], limits: Sequence[int], store_words: int, beat_cycles: float = 1.0
) -> float:
    """The cycle in which COMPUTE is through all layers, roughly, if no pass of layer i is larger than `limits[i]`."""
    command_cycles = 2 * COMMAND_BEATS * beat_cycles
    arrived = finished = 0.0
    held: deque[tuple[int, float]] = deque()
    used = 0
    for demand, limit in zip(demands, limits, strict=True):
        passes = demand.passes(limit)
        loads = [load for groups in passes for load in demand.loads(groups, store_words)]
        for number, words in enumerate(loads):
            while used + words > store_words:
                freed, cycle = held.popleft()
                used -= freed
                if cycle > arrived:
                    arrived = cycle + _RESTART_CYCLES
            arrived += words * demand.word_beats + command_cycles
            finished = max(finished, arrived if words else 0.0)
            finished += demand.cycles * words / sum(loads) if words else demand.cycles
            finished += _COMPUTE_CYCLES
            if number == 0:  # parameters come behind the first weights
                arrived += demand.other_beats + command_cycles
            held.append((words, finished))
            used += words
    return finished


def choose_pass_words(
    plans: Sequence[LayerPlan], config: MacEngineConfig, beat_cycles: float = 1.0
) -> list[int]:
    """For each of a section's layers the most words of a pass, with a memory that gives a beat every `beat_cycles`.

    Layers are changed one by one, from the last to the first, as long as the estimate falls; not those of several
    stripes, which reload their weights for each if there is more than one pass.
    """
    demands = [weight_demand(plan, config, beat_cycles) for plan in plans]
    limits = [config.weight_words // parts for parts in _PASSES_IN_STORE]
    chosen = [limits[0]] * len(plans)
    best = estimated_finish(demands, chosen, config.weight_words, beat_cycles)
    for _ in range(_SWEEPS):
        for place, demand in reversed(list(enumerate(demands))):
            for limit in limits:
                if demand.stripes > 1 or demand.passes(limit) == demand.passes(chosen[place]):
                    continue
                tried = [*chosen[:place], limit, *chosen[place + 1 :]]
                cycles = estimated_finish(demands, tried, config.weight_words, beat_cycles)
                if cycles < best:
                    best, chosen = cycles, tried
    return chosen
