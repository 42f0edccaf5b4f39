"""What COMPUTE derives from its command once, so that its loops need no multiplication."""

from amaranth.hdl import Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .commands import Mode
from .ring_pointer import RING_STEP, prepare_step
from .tile_config import TileConfig, core_bits, tile_bits

CONSTANTS_LATENCY = 4
"""Cycles from a command to the last of its constants."""


def constants_layout(config: TileConfig) -> data.StructLayout:
    """Constants of a command.

    kernel_row_step, ofm_row_step, tile_row_step: from the ifm row under a kernel row, ofm row or tile to the next's.
    ifm2_row_step, ifm2_tile_row_step: the same of the second operand.
    groups: pixel groups in an ofm row.
    group_pixels, tile_pixels, kernel_column_pixels: ifm pixels from a group, tile or step's kernel column to the next.
    tile_lines: ifm rows from a tile to the one below.
    kernel_columns: of a step.
    block_cores: Q.
    two_operands: each pixel takes two reads (ADD, MULTIPLY).
    transposed: kernel taps on the lanes, an output channel takes its own input channel (DEPTHWISE, MAXIMUM).
    reads_weights: DENSE, DEPTHWISE, PACKED.
    """
    return data.StructLayout(
        {
            "kernel_row_step": RING_STEP,
            "ofm_row_step": RING_STEP,
            "tile_row_step": RING_STEP,
            "ifm2_row_step": RING_STEP,
            "ifm2_tile_row_step": RING_STEP,
            "groups": unsigned(16),
            "group_pixels": unsigned(5),
            "tile_pixels": unsigned(tile_bits(config) + 4),
            "tile_lines": unsigned(tile_bits(config) + 2),
            "kernel_column_pixels": unsigned(5),
            "kernel_columns": unsigned(4),
            "block_cores": unsigned(core_bits(config)),
            "two_operands": unsigned(1),
            "transposed": unsigned(1),
            "reads_weights": unsigned(1),
        }
    )


class ComputeConstants(wiring.Component):
    """Derives `constants` from `command`; settled `CONSTANTS_LATENCY` cycles after the command was presented.

    Members:
        command: held from start to completion.
        constants: see `constants_layout`.
    """

    command: data.View
    constants: data.View

    def __init__(self, config: TileConfig) -> None:
        self._config = config
        super().__init__({"command": In(config.compute.struct()), "constants": Out(constants_layout(config))})

    def elaborate(self, platform: object) -> Module:
        """Each constant in as many stages as its adders need."""
        m = Module()
        command, constants = self.command, self.constants
        pixel_cores_log2: Value = command.pixel_cores_log2
        block_cores_log2: Value = command.block_cores_log2
        if self._config.cores == 1:
            pixel_cores_log2 = block_cores_log2 = Const(0, 1)
        pixel_cores = Signal(range(9))
        stride_pixels = Signal(5)
        m.d.comb += [
            pixel_cores.eq(1 << pixel_cores_log2),
            stride_pixels.eq(command.stride_x << pixel_cores_log2),
        ]
        taps: Value = command.taps if "taps" in self._config.compute.names else Const(1)
        tapped = command.mode == Mode.DEPTHWISE
        m.d.sync += [
            constants.groups.eq((command.width + pixel_cores - 1) >> pixel_cores_log2),
            constants.group_pixels.eq(stride_pixels),
            constants.tile_pixels.eq(_times(command.stride_x, command.tile_groups) << pixel_cores_log2),
            constants.tile_lines.eq(_times(command.stride_y, command.tile_rows)),
            constants.kernel_columns.eq(taps),
            constants.kernel_column_pixels.eq(_times(command.dilation_x, taps)),
            constants.block_cores.eq(1 << block_cores_log2),
            constants.two_operands.eq((command.mode == Mode.ADD) | (command.mode == Mode.MULTIPLY)),
            constants.transposed.eq(tapped | (command.mode == Mode.MAXIMUM)),
            constants.reads_weights.eq(tapped | (command.mode == Mode.DENSE) | (command.mode == Mode.PACKED)),
        ]
        self._row_steps(m)
        return m

    def _row_steps(self, m: Module) -> None:
        command, constants = self.command, self.constants
        ifm_ring = command.ifm_ring_end, command.ifm_ring_size
        ifm2_ring = command.ifm2_ring_end, command.ifm2_ring_size
        kernel_row = Signal(17)
        ofm_row = Signal(18)
        tile_row = _pipelined_product(m, constants.tile_lines, command.ifm_row_pitch)
        ifm2_tile_row = _pipelined_product(m, command.tile_rows, command.ifm2_row_pitch)
        m.d.sync += [
            kernel_row.eq(_times(command.dilation_y, command.ifm_row_pitch)),
            ofm_row.eq(_times(command.stride_y, command.ifm_row_pitch)),
        ]
        prepare_step(m, constants.kernel_row_step, kernel_row, *ifm_ring)
        prepare_step(m, constants.ofm_row_step, ofm_row, *ifm_ring)
        prepare_step(m, constants.tile_row_step, tile_row, *ifm_ring)
        prepare_step(m, constants.ifm2_row_step, command.ifm2_row_pitch, *ifm2_ring)
        prepare_step(m, constants.ifm2_tile_row_step, ifm2_tile_row, *ifm2_ring)


def _times(factor: Value, value: Value) -> Value:
    """`factor` of at most two bits, or at most 4, times `value`: one adder."""
    if len(factor) == 1:
        return Mux(factor, value, 0)
    product = Mux(factor[0], value, 0) + (Mux(factor[1], value, 0) << 1)
    return product if len(factor) == 2 else Mux(factor[2], value << 2, product)


def _pipelined_product(m: Module, factor: Value, value: Value) -> Signal:
    """`factor` (up to 8 bits) times `value`, modulo 2**17, two cycles later."""
    parts = []
    for low in range(0, len(factor), 2):
        part = Signal(17, name=f"part_{low}")
        m.d.sync += part.eq(_times(factor[low : low + 2], value) << low)
        parts.append(part)
    product = Signal(17)
    m.d.sync += product.eq(_sum(parts))
    return product


def _sum(parts: list[Signal]) -> Value:
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return (_sum(parts[:half]) + _sum(parts[half:]))[:17]
