"""Whether a design fits a board, and about how fast it will be, before anything is built."""

from dataclasses import dataclass
from typing import Any

from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.families import PRESETS, family_of

from .block_count import design_blocks, shortfall
from .board import Board
from .build_result import Usage
from .clock_estimate import estimated_fmax
from .errors import FitError
from .lut_estimate import estimated_luts

_MISSING_PORT = ("1 memory port (for weights) too few",)
"""Boards have one."""
_PORT_BITS = 64
"""Of theirs."""


@dataclass(frozen=True, slots=True)
class FitEstimate:
    """What a build would come to.

    Attributes:
        usage: LUTs, on ECP5 within 15 %, multipliers and block RAMs exactly.
        fmax_mhz: of the accelerator's clock; a guide, no promise.
        missing: what the device has too few of, by how many; empty if all fits.
        largest_preset: of the same family that fits, `None` if none does.
    """

    usage: tuple[Usage, ...]
    fmax_mhz: float
    missing: tuple[str, ...]
    largest_preset: str | None

    def values(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            **{usage.key: usage.used for usage in self.usage},
            "available": {usage.key: usage.available for usage in self.usage},
            "fmax_mhz": round(self.fmax_mhz, 1),
            "fits": not self.missing,
            "missing": list(self.missing),
            "largest_preset": self.largest_preset,
        }


def estimate_fit(board: Board, config: EngineConfig) -> FitEstimate:
    """The estimate for an engine of `config`, link and memory included; takes no time."""
    blocks, luts, part = design_blocks(board, config), estimated_luts(board, config), board.part
    usage = (
        Usage(part.cells.luts, part.cells.luts.lower(), luts, part.luts),
        Usage(part.cells.multipliers, "dsp", blocks.multipliers, part.multipliers),
        Usage(part.cells.block_rams, "bram", blocks.block_rams, part.block_rams),
    )
    fitting = [name for name in fitting_presets(board) if PRESETS[name].family == config.family]
    return FitEstimate(
        usage, estimated_fmax(board, config), _missing(board, config), fitting[-1] if fitting else None
    )


def fitting_presets(board: Board) -> tuple[str, ...]:
    """Names of the presets that the board has enough cells for, family by family, the smallest first."""
    return tuple(name for name, config in PRESETS.items() if not _missing(board, config))


def require_board_fit(board: Board, config: EngineConfig) -> None:
    """Refuse a design before hours are spent on it.

    Raises:
        FitError: by how much of what it does not fit, and the largest preset that does.
    """
    estimate = estimate_fit(board, config)
    if estimate.missing:
        remedy = (
            f"no preset of {family_of(config).command_name} fits"
            if estimate.largest_preset is None
            else f"the largest preset that fits is {estimate.largest_preset}"
        )
        raise FitError(f"the design does not fit {board.name}: {', '.join(estimate.missing)}; {remedy}")


def _missing(board: Board, config: EngineConfig) -> tuple[str, ...]:
    cells = shortfall(board.part, design_blocks(board, config), estimated_luts(board, config))
    if config.data_bits != _PORT_BITS:
        cells = (
            *cells,
            f"a memory port of {_PORT_BITS} bits, not {config.data_bits}: set data_bits to {_PORT_BITS}",
        )
    return (*cells, *_MISSING_PORT) if config.weights_port_bits else cells
