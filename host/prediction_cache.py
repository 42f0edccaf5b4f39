"""Predictions kept in the user's cache: predicting takes seconds for a large network, finding it milliseconds."""

from importlib.metadata import version
from pathlib import Path

from celosia.generators.chassis.memory import MemoryModel
from celosia.sim.cache import cached, content_key, default_cache_directory
from celosia.sim.verilator import Progress

from .generation import generator_sources
from .prediction import is_predicted_for, with_predictions
from .program import Program
from .program_file import program_from_bytes, program_to_bytes

_STEP = "Predicting cycles"
_FILE = "program.celosia"


def predicted(
    program: Program, memory: MemoryModel, *, directory: Path | None = None, progress: Progress | None = None
) -> Program:
    """`program` with its cycles behind `memory`, as `with_predictions`.

    Raises:
        CacheError: `directory` (the user's cache directory by default) cannot be used.
    """
    if is_predicted_for(program, memory):
        return program
    limits = (memory.outstanding_reads, memory.outstanding_writes)
    timing = f"{memory.latency} {memory.bytes_per_cycle} {limits}"
    key = content_key([program_to_bytes(program), timing, version("celosia"), *generator_sources()])

    def build(workspace: Path) -> None:
        if progress is not None:
            progress(_STEP, 0, 1)
        (workspace / _FILE).write_bytes(program_to_bytes(with_predictions(program, memory)))
        if progress is not None:
            progress(_STEP, 1, 1)

    entry = cached((directory or default_cache_directory()) / "predictions", key, build)
    return program_from_bytes((entry / _FILE).read_bytes(), program.model)
