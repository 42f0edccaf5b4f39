"""`celosia simulate-board`: a board without the board."""

from typing import Annotated

import typer

from celosia.boards.board import BOARDS
from celosia.boards.memory_models import NOMINAL_CLOCK
from celosia.sim.board.board_on_line import BoardOnLine
from celosia.sim.board.pty_line import PtyLine

from ..board_build import board_called
from ..device_spec import DeviceSpec, DeviceSpecError
from ..simulated_board import BoardDesign, board_design, open_simulated_board
from .options import AsJson, described_by, simulated
from .terminal import output, print_json, print_line, progress_bars

_MEGAHERTZ = 1e6
_WAIT_SECONDS = 1.0
_PATIENCE = 3600
"""Seconds that a host should have: longer than a busy or sleeping machine stands still. A simulation that ends closes
its pseudo-terminal, which a host sees at once."""

_Board = Annotated[
    str, typer.Argument(metavar="BOARD", help=f"One of {', '.join(BOARDS)}.", show_default=False)
]
_Clock = Annotated[
    float,
    typer.Option("--clock", metavar="MHZ", help="The accelerator gets the highest legal clock up to this."),
]
_Baud = Annotated[
    int | None,
    typer.Option(
        "--baud", metavar="RATE", help="Of the serial line; as on the board by default.", show_default=False
    ),
]


@described_by(simulated)
def simulate_board_command(
    board: _Board,
    spec: DeviceSpec,
    clock: _Clock = NOMINAL_CLOCK / _MEGAHERTZ,
    baud: _Baud = None,
    as_json: AsJson = False,
) -> None:
    """Simulate a whole board and serve its serial line on a pseudo-terminal until Ctrl-C.

    It prints the device to use in another terminal. The board's top level runs as it is built, with the memory chip on
    its pins; the options of a simulated memory change nothing.

    Example: celosia simulate-board ulx3s_85f --preset u55-32
    """
    try:
        design = board_design(
            board_called(board), spec.config, frequency=round(clock * _MEGAHERTZ), baud=baud
        )
        with progress_bars() as progress:
            simulated_board = open_simulated_board(design, progress=progress)
    except ValueError as error:
        raise DeviceSpecError(str(error)) from error
    with simulated_board:
        line = PtyLine(BoardOnLine(simulated_board))
        try:
            _announce(design, line.name, as_json)
            while line.wait(_WAIT_SECONDS):
                pass
        finally:
            line.close()
        if line.failure is not None:
            raise line.failure


def _announce(design: BoardDesign, port: str, as_json: bool) -> None:
    megahertz = [float(frequency) / _MEGAHERTZ for frequency in design.clocks.frequencies]
    settings = {
        "board": design.board.name,
        "clock": f"{megahertz[0]:g}",
        "baud": design.board.baud,
        "patience": _PATIENCE,
    }
    device = f"serial:{port}?{'&'.join(f'{key}={value}' for key, value in settings.items())}"
    if as_json:
        print_json(
            {
                "board": design.board.name,
                "device": device,
                "port": port,
                "baud": design.board.baud,
                "configuration": f"{design.config.hash:016x}",
                "clock_mhz": megahertz[0],
                "memory_clock_mhz": megahertz[1],
            }
        )
        return
    console = output()
    print_line(
        console, f"{design.board.title}, accelerator at {megahertz[0]:g} MHz, memory at {megahertz[1]:g} MHz"
    )
    print_line(console, f"device: {device}")
    print_line(console, f"for instance: celosia verify model.tflite --cases cases.npz --device '{device}'")
    print_line(console, "Ctrl-C ends it.")
