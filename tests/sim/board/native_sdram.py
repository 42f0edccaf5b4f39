"""The board simulation's SDRAM chip with the interface of `tests.sdram_model.SdramModel`."""

import ctypes
import tempfile
from fractions import Fraction
from functools import cache
from pathlib import Path

import numpy as np

import celosia.sim.board
from celosia.hdl.sdram_timing import SdramGeometry, SdramTiming
from celosia.sim.board.library import ChipSettings, ChipStatisticsRecord, chip_settings
from celosia.sim.cache import cached, content_key, default_cache_directory
from celosia.sim.compiler import DEFAULT_COMPILER, find_compiler, processor_identity, run_tools
from tests.sdram_model import BANKS, PinState, SdramViolation

_MODEL = Path(celosia.sim.board.__path__[0]) / "sdram_chip.h"
_BINDING = Path(__file__).with_name("chip_binding.cpp")
_TICKS_A_CYCLE = 12
_FLAGS = ("-std=c++17", "-O2", "-fPIC", "-w", "-march=native", "-fno-sanitize=all")
"""Those of the simulation's models as far as zig's own library depends on them: it is not compiled once more."""


@cache
def _library() -> ctypes.CDLL:
    directory = default_cache_directory()
    compiler = find_compiler(DEFAULT_COMPILER, directory)
    key = content_key(
        [compiler.identity, processor_identity(), *_FLAGS, _MODEL.read_bytes(), _BINDING.read_bytes()]
    )

    def build(workspace: Path) -> None:
        arguments = [*_FLAGS, "-shared", f"-I{_MODEL.parent}", str(_BINDING), *compiler.link_flags]
        command = [*compiler.command, *arguments, "-o", str(workspace / "chip.so")]
        with tempfile.TemporaryDirectory() as scratch:
            run_tools([command], dict(compiler.environment) | {"ZIG_LOCAL_CACHE_DIR": scratch})

    library = ctypes.CDLL(str(cached(directory / "models", key, build) / "chip.so"))
    library.chip_create.restype = ctypes.c_void_p
    library.chip_create.argtypes = [ctypes.POINTER(ChipSettings), ctypes.c_uint64, ctypes.c_void_p]
    library.chip_destroy.argtypes = [ctypes.c_void_p]
    library.chip_edge.restype = ctypes.c_int64
    library.chip_edge.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_char_p]
    library.chip_is_initialized.argtypes = [ctypes.c_void_p]
    library.chip_statistics.argtypes = [ctypes.c_void_p, ctypes.POINTER(ChipStatisticsRecord)]
    return library


class NativeSdramModel:
    """See `SdramModel`; masked data are None here."""

    def __init__(
        self, geometry: SdramGeometry, timing: SdramTiming, frequency: int, *, seed: int = 0
    ) -> None:
        self._geometry = geometry
        size = 1 << geometry.address_bits
        self._words = np.random.default_rng(seed).integers(0, 1 << 16, size // 2, np.uint16)
        self._edge = 0
        settings = chip_settings(geometry, timing)
        self._library = _library()
        self._chip = self._library.chip_create(
            settings, frequency * _TICKS_A_CYCLE, self._words.ctypes.data_as(ctypes.c_void_p)
        )

    def __del__(self) -> None:
        self._library.chip_destroy(self._chip)

    @property
    def initialized(self) -> bool:
        return bool(self._library.chip_is_initialized(self._chip))

    @property
    def refreshes(self) -> int:
        return self._statistics().refreshes

    @property
    def worst_refresh_debt(self) -> Fraction:
        return Fraction(self._statistics().worst_refresh_debt)

    def row(self, bank: int, row: int) -> np.ndarray:
        columns = 1 << self._geometry.column_bits
        first = (row * BANKS + bank) * columns
        return self._words[first : first + columns]

    def edge(self, pins: PinState) -> int | None:
        values = np.array(
            [
                pins.command.value,
                pins.bank,
                pins.address,
                pins.mask,
                pins.data or 0,
                0 if pins.data is None else 0xFFFF,
                pins.clock_enable,
                pins.chip_select,
            ],
            np.uint32,
        )
        message = ctypes.create_string_buffer(256)
        word = self._library.chip_edge(
            self._chip, self._edge * _TICKS_A_CYCLE, values.ctypes.data_as(ctypes.c_void_p), message
        )
        if word < 0:
            raise SdramViolation(message.value.decode())
        self._edge += 1
        return word & 0xFFFF if word >> 16 else None

    def _statistics(self) -> ChipStatisticsRecord:
        record = ChipStatisticsRecord()
        self._library.chip_statistics(self._chip, record)
        return record
