"""What a systolic engine takes of an FPGA: memories and multipliers exactly, LUTs by a rough linear law."""

from collections.abc import Iterator

from ...hdl.stream_queue import LARGEST_LUT_RAM
from ...hdl.wide_brick_buffer import BANKS
from ..chassis.area import Area, Memory
from ..chassis.counters import COUNTER_WORDS
from ..chassis.register_map import REGISTER_BITS
from .config import SystolicConfig

FMAX_MHZ = 70.0
_LUTS = 20000.0
_LUTS_PER_ELEMENT = 55.0
_LUTS_PER_COLUMN = 60.0
_LUTS_PER_LANE = 632.0
_REQUANTIZER_MULTIPLIERS = 4
_INT16_LUTS_PER_LANE = 830.0
_INT16_MULTIPLIERS_PER_LANE = 3


def area(config: SystolicConfig) -> Area:
    """LUTs, multipliers and memories of the engine of `config`."""
    luts = (
        _LUTS
        + _LUTS_PER_ELEMENT * config.peak_macs
        + _LUTS_PER_COLUMN * config.columns
        + _LUTS_PER_LANE * config.lanes
    )
    multipliers = config.peak_macs + config.core_outputs + _REQUANTIZER_MULTIPLIERS * config.lanes
    if config.int16:
        luts += _INT16_LUTS_PER_LANE * config.lanes
        multipliers += _INT16_MULTIPLIERS_PER_LANE * config.lanes
    return Area(luts, multipliers, tuple(_memories(config)), FMAX_MHZ)


def _memories(config: SystolicConfig) -> Iterator[Memory]:
    in_flight = max(config.burst_beats * max(2, config.outstanding_reads), 2 * LARGEST_LUT_RAM)
    yield Memory(config.buffer_bricks // BANKS, 8 * config.brick_channels, BANKS)
    yield Memory(config.weight_tiles * config.rows, 8 * config.columns)
    yield Memory(config.accumulators, 256, 2 * config.cores)
    yield Memory(config.parameter_beats, 64)
    yield Memory(32, 64, config.lanes)  # activation tables
    yield Memory(512, 32, config.core_outputs // 2, is_dual=True)  # operand tables
    yield Memory(config.profile_entries * COUNTER_WORDS, REGISTER_BITS)
    yield Memory(2 * LARGEST_LUT_RAM, 64)  # fetch
    yield Memory(1 << (in_flight - 1).bit_length(), 64)  # LOAD
    yield Memory(max(4 * config.burst_beats, 2 * LARGEST_LUT_RAM), 72)  # STORE
