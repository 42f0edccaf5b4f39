"""What the loop nest of COMPUTE asks of a family's loader of weights."""

from typing import Protocol

from amaranth.hdl import Module, ShapeLike, Signal
from amaranth.lib import data
from amaranth.lib.wiring import In, Member, Out

from .compute_constants import constants_layout
from .tile_config import TileConfig


def weight_loading_members(config: TileConfig, read: ShapeLike) -> dict[str, Member]:
    """Members of a component that is `WeightLoading`; `read` is what its way to the core wants to know."""
    return {
        "command": In(config.compute.struct()),
        "constants": In(constants_layout(config)),
        "start": In(1),
        "step_taken": In(1),
        "step_ends_tile": In(1),
        "step_ends_blocks": In(1),
        "step_is_last": In(1),
        "step_ends": In(1),
        "read": Out(read),
        "ready": Out(1),
        "coming": Out(1),
    }


class WeightLoading(Protocol):
    """A component that has the weights of the next step ready when the step before it is over.

    Members:
        command, constants: held from `start` to completion; `constants` are settled one cycle after `start`.
        start: load the first step's weights.
        step_taken: the step whose weights are ready starts.
        step_ends_tile, step_ends_blocks, step_is_last: about that step, as in `step_layout`.
        step_ends: the step that started last is in its last read, or over.
        read: what the family's way from the store to the core wants to know, in every cycle.
        ready: the next step's weights are loaded, or the last of them are in this cycle.
        coming: so it will be in the next cycle, unless a step is taken or `start` comes.
    """

    command: data.View
    constants: data.View
    start: Signal
    step_taken: Signal
    step_ends_tile: Signal
    step_ends_blocks: Signal
    step_is_last: Signal
    step_ends: Signal
    read: data.View
    ready: Signal
    coming: Signal

    def elaborate(self, platform: object) -> Module:
        """Part of the netlist."""
        ...


class PausingWeightLoading(WeightLoading, Protocol):
    """One that may make the reads of a step pause; see `TileConfig.can_pause`.

    Members:
        pausing: no window may be read in the next cycle; low while a step is taken.
    """

    pausing: Signal
