"""Cycles per inference on a whole board, counted by the engine behind the board's own memory controller.

    make bench-board                 (or python -m benchmarks.board_cycles: ULX3S, u55-64 at 80 MHz, MLPerf Tiny)
    python -m benchmarks.board_cycles --preset u55-128 --clock 100

The board runs as it is built (`celosia.sim.board`), the SDRAM chip on its pins. Registers are reached over the serial
line; programs and inputs are put into the chip by a back door, since only the cycles of the run count. Every output
is compared with the expected one. The table goes to the terminal and into docs/performance.md. A few minutes.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from celosia.boards.board import BOARDS, Board, find_board
from celosia.boards.board_clocks import PllSettings, choose_clocks
from celosia.boards.memory_models import NOMINAL_CLOCK
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.device import Device
from celosia.generators.families import PRESETS
from celosia.host.arrays import load_cases
from celosia.host.program import Program
from celosia.host.program_cache import compiled
from celosia.host.runtime import Runtime
from celosia.host.simulated_board import BoardDesign, open_simulated_board
from celosia.host.tflite import load_tflite
from celosia.host.transports.link import Link
from celosia.host.transports.serial_device import SerialDevice
from celosia.host.transports.simulated_port import SimulatedPort
from celosia.sim.board.simulated_board import SimulatedBoard
from celosia.sim.verilator import Progress

REPOSITORY = Path(__file__).resolve().parent.parent
MODELS = REPOSITORY.parent / "shared" / "models"
PAGE = REPOSITORY / "docs" / "performance.md"
BEGIN, END = "<!-- inferences:begin -->", "<!-- inferences:end -->"
MLPERF = (
    "mlperf_ad01_fc_ae",
    "mlperf_ic_resnet8",
    "mlperf_kws_dscnn",
    "mlperf_sww_strm",
    "mlperf_vww_mbv1_025_96",
)
ZEDBOARD = {
    "mlperf_ic_resnet8": "2431, 211 DSP, 143 MHz",
    "mlperf_kws_dscnn": "3088, 188 DSP, 143 MHz",
    "mlperf_vww_mbv1_025_96": "105, 189 DSP, 111 MHz",
}
"""MLPerf Tiny's closed int8 entries on the ZedBoard: inferences a second, from the project's shared anchors."""


@dataclass(frozen=True, slots=True)
class BoardCycles:
    """One network on one board.

    Attributes:
        network: its folder's name.
        cycles: of an inference, counted by the engine.
        predicted_cycles: by the cycle model behind `celosia.boards.memory_models`.
        frequency: Hz of the engine.
        bytes_read, bytes_written: by the engine, of its memory.
        is_right: outputs are the expected ones, bit for bit.
    """

    network: str
    cycles: int
    predicted_cycles: int
    frequency: float
    bytes_read: int
    bytes_written: int
    is_right: bool

    @property
    def inferences_per_second(self) -> float:
        """Of the engine alone: without what the serial line takes."""
        return self.frequency / self.cycles


class BackDoorDevice:
    """A `Device` whose registers are reached over the board's line and whose memory is the chip's content itself."""

    def __init__(self, board: SimulatedBoard) -> None:
        port = SimulatedPort(board)
        self._serial = SerialDevice(Link(lambda: port, clock=port.clock))
        self._memory = board.memory
        self.read_register = self._serial.read_register
        self.write_register = self._serial.write_register
        self.wait_for_interrupt = self._serial.wait_for_interrupt
        self.reset = self._serial.reset
        self.close = self._serial.close

    def read_memory(self, address: int, size: int) -> NDArray[np.uint8]:
        """See `Device.read_memory`; takes no time."""
        return self._memory[address : address + size].copy()

    def write_memory(self, address: int, data: bytes | NDArray[np.generic]) -> None:
        """See `Device.write_memory`; takes no time."""
        content = np.frombuffer(data if isinstance(data, bytes) else data.tobytes(), np.uint8)
        self._memory[address : address + content.size] = content


def measure_board(
    board: Board,
    config: EngineConfig,
    networks: Sequence[str] = MLPERF,
    *,
    clocks: PllSettings | None = None,
    models: Path = MODELS,
    progress: Progress | None = None,
) -> Iterator[BoardCycles]:
    """Run the first case of each of `networks`, folders in `models`, on the simulated `board`.

    Args:
        board: one with an SDRAM.
        config: of the engine.
        networks: names of folders.
        clocks: what the PLL makes, for instance those that a build reached; 80 MHz by default.
        models: where the folders are, each with `model.tflite` and `cases.npz`.
        progress: called while something takes more than a second.

    Raises:
        ToolError, CacheError, BuildError: the board's model cannot be built.
        DeviceError: the board failed.
    """
    design = BoardDesign(board, config, clocks or choose_clocks(board, NOMINAL_CLOCK))
    with open_simulated_board(design, progress=progress) as simulated:
        device = BackDoorDevice(simulated)
        for number, network in enumerate(networks):
            if progress is not None:
                progress("Running networks", number, len(networks))
            yield measure(network, models / network, design, device)


def measure(network: str, folder: Path, design: BoardDesign, device: Device) -> BoardCycles:
    """Run the first case in `folder` on `device`, an engine of `design`.

    Raises:
        DeviceError: the device failed, or is another engine.
    """
    graph = load_tflite(folder / "model.tflite")
    tensors = graph.tensors
    (case, *_) = load_cases(
        folder / "cases.npz",
        [tensors[index] for index in graph.inputs],
        [tensors[index] for index in graph.outputs],
    )
    program: Program = compiled(folder / "model.tflite", design.config, design.memory_model)
    runtime = Runtime(program, device)
    values = runtime.run(case.inputs)
    profile = runtime.profile()
    return BoardCycles(
        network,
        profile.cycles,
        profile.predicted_cycles,
        design.frequency,
        profile.bytes_read,
        profile.bytes_written,
        all(
            values[index].tobytes() == np.ascontiguousarray(expected).tobytes()
            for index, expected in zip(program.outputs, case.outputs, strict=True)
        ),
    )


def table(design: BoardDesign, preset: str, rows: Sequence[BoardCycles]) -> str:
    """Markdown."""
    megahertz = [f"{float(frequency) / 1e6:.4g} MHz" for frequency in design.clocks.frequencies]
    lines = [
        f"{design.board.title}, {preset} at {megahertz[0]}, memory at {megahertz[1]}:",
        "",
        "| network | cycles | predicted | inferences a second | bytes read | written | ZedBoard, fpgaConvNet |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    lines += [
        f"| {row.network} | {row.cycles:,} | {row.predicted_cycles:,} | {row.inferences_per_second:,.0f} "
        f"| {row.bytes_read:,} | {row.bytes_written:,} | {ZEDBOARD.get(row.network, '')} |"
        for row in rows
    ]
    return "\n".join(lines)


def merge(page: str, content: str) -> str:
    """`page` with `content` as its table."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{content}\n{END}{after}"


def main() -> None:
    """Measure, print, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "networks",
        nargs="*",
        help="folders in ../shared/models, only printed (default: MLPerf Tiny, into the page)",
    )
    parser.add_argument("--board", default="ulx3s_85f", help=f"one of {', '.join(BOARDS)}")
    parser.add_argument("--preset", default="u55-64", choices=list(PRESETS))
    parser.add_argument("--clock", type=float, default=80.0, help="MHz of the engine at most (default: 80)")
    arguments = parser.parse_args()
    board, config = find_board(arguments.board), PRESETS[arguments.preset]
    clocks = choose_clocks(board, round(arguments.clock * 1e6))
    rows: list[BoardCycles] = []
    for row in measure_board(board, config, arguments.networks or MLPERF, clocks=clocks):
        rows.append(row)
        print(f"{row.network}: {row.cycles:,} cycles{'' if row.is_right else ', WRONG OUTPUT'}", flush=True)
    content = table(BoardDesign(board, config, clocks), arguments.preset, rows)
    print(content)
    if not all(row.is_right for row in rows):
        sys.exit("bench-board: an output is not the expected one")
    if not arguments.networks:
        PAGE.write_text(merge(PAGE.read_text(encoding="utf-8"), content), encoding="utf-8")


if __name__ == "__main__":
    main()
