"""What a MAC engine takes of an FPGA.

LUTs are a linear law:

    LUT4 = shell + outputs * per_output + lanes * per_lane + queue_blocks * per_queue_block

`outputs` are the output channels that all cores compute in a cycle, 4 for 32 MACs and else 8 a core: each brings
eight products to add up, accumulators and their share of the way to the output stage. `lanes` are requantizers,
`queue_blocks` the memories of 16 rows of 64 bits that the command queues take. Depths of buffer and stores, bursts and
the like change address widths alone and are not counted.

The constants are a least-squares fit to synthesis (`boards.ecp5_synthesis`, no route) of whole designs, by
LUT4 + 2 CCU2C + 6 TRELLIS_DPR16X4, which is what nextpnr counts; link and SDRAM of a board are part of the shell.
`python -m benchmarks.lut_calibration` measures and fits them again, and shows how far each of its designs is off; a
slow test holds the estimate to synthesis within 15 %.
"""

from collections.abc import Iterator

from ...hdl.stream_queue import LARGEST_LUT_RAM
from ..chassis.area import Area, Memory
from ..chassis.command import OPCODE_OF_VERB
from ..chassis.counters import COUNTER_WORDS
from ..chassis.register_map import REGISTER_BITS
from .config import MacEngineConfig
from .isa import BANKS, LAYOUTS, SOFTMAX_CHANNELS
from .weight_decoder import decoder_beats
from .weight_store import weight_memories

FEATURES = ("shell", "output", "lane", "queue block")
CONSTANTS = (23778.0, 610.0, 632.0, 150.0)
"""LUT4 for each of `FEATURES`, by `benchmarks.lut_calibration`: six designs for ULX3S of 30,034 to 37,156 LUT4 are met
within 1.4 %."""
FMAX_MHZ = 78.0
"""What nextpnr 0.11 reached with the engine of u55-64 alone, `make bench-area`, seed 1. A row that `make bench-fpga`
wrote into docs/performance.md is better: put its median here."""
_LUT_RAM_ROWS = 16
_REQUANTIZER_MULTIPLIERS = 4
"""A product of 32 x 32 bits."""


def area(config: MacEngineConfig) -> Area:
    """LUTs, multipliers and memories of the engine of `config`."""
    luts = sum(a * b for a, b in zip(CONSTANTS, features(config), strict=True))
    multipliers = config.macs + config.core_outputs + _REQUANTIZER_MULTIPLIERS * config.lanes
    return Area(luts, multipliers, tuple(_memories(config)), FMAX_MHZ)


def features(config: MacEngineConfig) -> tuple[int, ...]:
    """How many there are of each of `FEATURES`."""
    rows = (config.queue_depth * LAYOUTS[opcode].beats for opcode in OPCODE_OF_VERB.values())
    queue_blocks = sum(-(-count // _LUT_RAM_ROWS) for count in rows)
    return 1, config.cores * config.core_outputs, config.lanes, queue_blocks


def _memories(config: MacEngineConfig) -> Iterator[Memory]:
    in_flight = max(config.burst_beats * max(2, config.outstanding_reads), 2 * LARGEST_LUT_RAM)
    yield Memory(config.buffer_bricks // BANKS, 64, BANKS)
    for depth in weight_memories(config.weight_words):
        yield Memory(depth, 128)
    yield Memory(config.parameter_beats, 64)
    yield Memory(SOFTMAX_CHANNELS // config.lanes, 8 * config.lanes)
    yield Memory(128, 64)  # exponentials
    yield Memory(32, 64, config.lanes)  # activation tables
    yield Memory(512, 32, config.core_outputs // 2, is_dual=True)  # operand tables
    yield Memory(config.profile_entries * COUNTER_WORDS, REGISTER_BITS)
    yield Memory(2 * LARGEST_LUT_RAM, 64)  # fetch
    yield Memory(1 << (in_flight - 1).bit_length(), 64)  # LOAD
    yield Memory(max(4 * config.burst_beats, 2 * LARGEST_LUT_RAM), 72)  # STORE
    yield Memory(decoder_beats(config), 64)
