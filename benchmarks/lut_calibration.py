"""The constants of `generators/mac_engine/area.py`, fitted to synthesis.

    python -m benchmarks.lut_calibration                    (in the checkout, with requirements/fpga.lock installed)
    python -m benchmarks.lut_calibration --keep build/luts  (what is measured there already is not measured again)

Synthesizes a few whole designs, one to three minutes each on a quiet machine, fits the constants by least squares, and
prints them with what the estimate then says of each design. Put them into `CONSTANTS` there by hand.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from celosia.boards.board import BOARDS, Board
from celosia.boards.board_sources import BOARD_NAME
from celosia.boards.build_job import BuildJob
from celosia.boards.ecp5_build import generate_ecp5, write_ecp5
from celosia.boards.ecp5_synthesis import run_synthesis
from celosia.boards.errors import BuildError
from celosia.boards.lut_estimate import has_block_ram
from celosia.generators.generate import engine_design
from celosia.generators.mac_engine.area import FEATURES, features
from celosia.generators.mac_engine.config import PRESETS, MacEngineConfig


@dataclass(frozen=True)
class Point:
    """A design to measure: a preset for a board, with some keys changed."""

    board: str
    preset: str
    changes: tuple[tuple[str, int], ...] = ()

    @property
    def name(self) -> str:
        """For people and for folders."""
        return "_".join((self.board, self.preset, *(f"{key}_{value}" for key, value in self.changes)))

    @property
    def config(self) -> MacEngineConfig:
        """What is built."""
        return replace(PRESETS[self.preset], **dict(self.changes))


_POINTS = (
    Point("ulx3s_85f", "u55-32"),
    Point("ulx3s_85f", "u55-64"),
    Point("ulx3s_85f", "u55-128"),
    Point("ulx3s_85f", "u55-256"),
    Point("ulx3s_85f", "u55-64", (("lanes", 8),)),
    Point("ulx3s_85f", "u55-64", (("queue_depth", 16), ("burst_beats", 64))),
    Point("ulx3s_85f", "u55-64", (("buffer_kib", 32), ("weight_kib", 8), ("parameter_beats", 256))),
    Point("ecpix5_85f", "u55-32"),
)


def measured_luts(board: Board, config: MacEngineConfig, folder: Path) -> int:
    """LUT4 of the whole design by synthesis; a figure that is in `folder` already is taken from there."""
    figure = folder / "luts.json"
    if figure.exists():
        return int(json.loads(figure.read_text(encoding="utf-8")))
    folder.mkdir(parents=True, exist_ok=True)
    write_ecp5(board, generate_ecp5(BuildJob(board, engine_design(config)), folder), folder, seed=1)
    luts = run_synthesis(BOARD_NAME, folder).luts
    figure.write_text(json.dumps(luts), encoding="utf-8")
    return luts


def fitted(rows: Sequence[Sequence[int]], luts: Sequence[int]) -> list[float]:
    """The constants that are nearest to all of `luts`."""
    constants, *_ = np.linalg.lstsq(np.array(rows, float), np.array(luts, float), rcond=None)
    return [float(constant) for constant in constants]


def main() -> None:
    """Measure, fit, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--keep", type=Path, help="keep netlists and figures in this folder")
    arguments = parser.parse_args()
    rows: list[tuple[int, ...]] = []
    luts: list[int] = []
    with tempfile.TemporaryDirectory(prefix="celosia-luts-") as scratch:
        folder = (arguments.keep or Path(scratch)).resolve()
        for point in _POINTS:
            board = BOARDS[point.board]
            try:
                luts.append(measured_luts(board, point.config, folder / point.name))
            except BuildError as error:
                sys.exit(f"lut-calibration: {error}")
            rows.append((*features(point.config), int(has_block_ram(board))))
            print(f"{point.name}: {luts[-1]:,} LUT4", flush=True)
    constants = fitted(rows, luts)
    for name, constant in zip((*FEATURES, "block RAM in place of an SDRAM"), constants, strict=True):
        print(f"{name}: {constant:.1f}")
    for point, row, there in zip(_POINTS, rows, luts, strict=True):
        estimate = float(np.dot(constants, row))
        print(f"{point.name}: {estimate:,.0f} of {there:,}, {100 * (estimate / there - 1):+.1f} %")


if __name__ == "__main__":
    main()
