"""What a CNN array takes of an FPGA: memories and multipliers exactly, LUTs by a rough linear law.

Its constants meet one synthesis: catapult-8x8 takes 35,846 LUT4 (`benchmarks.families.cells_of`).
"""

from collections.abc import Iterator

from ...hdl.stream_queue import LARGEST_LUT_RAM
from ...hdl.wide_brick_buffer import BANKS
from ..chassis.area import Area, Memory
from ..chassis.counters import COUNTER_WORDS
from ..chassis.register_map import REGISTER_BITS
from .config import CnnArrayConfig

FMAX_MHZ = 70.0
_LUTS = 17000.0
_LUTS_PER_UNIT = 70.0
"""Beside its registers: the adder, and the choices in front of it and of what is drained."""
_LUTS_PER_REGISTERS = 6.0
"""Of a LUT RAM of 16 x 4 bits."""
_LUTS_PER_COLUMN = 400.0
_LUTS_PER_LANE = 632.0
_REQUANTIZER_MULTIPLIERS = 4
_LUT_RAM_ROWS, _LUT_RAM_BITS = 16, 4


def area(config: CnnArrayConfig) -> Area:
    """LUTs, multipliers and memories of the engine of `config`."""
    blocks = 2 * -(-config.registers // _LUT_RAM_ROWS) * (config.sum_bits // _LUT_RAM_BITS)
    luts = (
        _LUTS
        + (_LUTS_PER_UNIT + _LUTS_PER_REGISTERS * blocks) * config.peak_macs
        + _LUTS_PER_COLUMN * config.pixel_units
        + _LUTS_PER_LANE * config.lanes
    )
    multipliers = config.peak_macs
    if config.element_bits == 8:
        multipliers += config.core_outputs + _REQUANTIZER_MULTIPLIERS * config.lanes
    return Area(luts, multipliers, tuple(_memories(config)), FMAX_MHZ)


def _memories(config: CnnArrayConfig) -> Iterator[Memory]:
    in_flight = max(config.burst_beats * max(2, config.outstanding_reads), 2 * LARGEST_LUT_RAM)
    yield Memory(config.buffer_bricks // BANKS, 8 * config.brick_bytes, BANKS)
    yield Memory(config.weight_words, config.element_bits * config.channel_units)
    yield Memory(config.tile_pixels, config.core_outputs * config.sum_bits, 2)  # vector tiles
    yield Memory(config.parameter_beats, 64)
    if config.element_bits == 8:
        yield Memory(32, 64, config.lanes)  # activation tables
        yield Memory(512, 32, config.core_outputs // 2, is_dual=True)  # operand tables
    yield Memory(config.profile_entries * COUNTER_WORDS, REGISTER_BITS)
    yield Memory(2 * LARGEST_LUT_RAM, config.data_bits)  # fetch
    yield Memory(1 << (in_flight - 1).bit_length(), config.data_bits)  # LOAD
    yield Memory(max(4 * config.burst_beats, 2 * LARGEST_LUT_RAM), config.data_bits * 9 // 8)  # STORE
