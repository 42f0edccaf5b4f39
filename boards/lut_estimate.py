"""How many LUT4 a design takes on ECP5, estimated from its configuration in no time.

    LUT4 = shell + outputs * per_output + lanes * per_lane + queue_blocks * per_queue_block + what the board adds

`outputs` are the output channels that all cores compute in a cycle, 4 for 32 MACs and else 8 a core: each brings
eight products to add up, accumulators and their share of the way to the output stage. `lanes` are requantizers,
`queue_blocks` the memories of 16 rows of 64 bits that the command queues take. Depths of buffer and stores, bursts and
the like change address widths alone and are not counted.

The constants are a least-squares fit to synthesis (`boards.ecp5_synthesis`, no route) of whole designs, by
LUT4 + 2 CCU2C + 6 TRELLIS_DPR16X4, which is what nextpnr counts. `python -m benchmarks.lut_calibration` measures and
fits them again, and shows how far each of its designs is off; a slow test holds the estimate to synthesis within 15 %.
"""

from celosia.generators.chassis.command import OPCODE_OF_VERB
from celosia.generators.mac_engine.config import MacEngineConfig
from celosia.generators.mac_engine.isa import LAYOUTS

from .board import BlockRamMemory, Board
from .xilinx_part import XilinxPart

FEATURES = ("shell", "output", "lane", "queue block", "block RAM in place of an SDRAM")
CONSTANTS = (23778.0, 610.0, 632.0, 150.0, -900.0)
"""LUT4 for each of `FEATURES`, by `benchmarks.lut_calibration`: six designs for ULX3S of 30,034 to 37,156 LUT4 are met
within 1.4 %. The last one is not fitted: about what `AxiSdram` takes and `AxiBlockRam` does not."""
LUT6_SHARE = 0.65
"""LUT6 for each LUT4. Yosys 0.70 (`synth_xilinx -family xc7 -flatten`) took 17,553 for the engine of u55-32 alone:
16,567 of logic, four for each of 206 RAM32M, 162 SRL16E. A fifteenth more is a guess for link and memory."""
_LUT_RAM_ROWS = 16


def features(board: Board, config: MacEngineConfig) -> tuple[int, ...]:
    """How many there are of each of `FEATURES`."""
    outputs = config.cores * config.core_outputs
    is_block_ram = isinstance(board.memory, BlockRamMemory)
    return (1, outputs, config.lanes, _queue_blocks(config), int(is_block_ram))


def estimated_luts(board: Board, config: MacEngineConfig) -> int:
    """LUTs of the whole design, link and memory included, on ECP5 within 15 % of what synthesis comes to.

    Of the wider LUTs of the 7 series it takes fewer, by a share that one engine was measured for.
    """
    luts = sum(a * b for a, b in zip(CONSTANTS, features(board, config), strict=True))
    return round(luts * LUT6_SHARE if isinstance(board.part, XilinxPart) else luts)


def _queue_blocks(config: MacEngineConfig) -> int:
    rows = (config.queue_depth * LAYOUTS[opcode].beats for opcode in OPCODE_OF_VERB.values())
    return sum(-(-count // _LUT_RAM_ROWS) for count in rows)
