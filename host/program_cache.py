"""Programs with their predicted cycles, kept in the user's cache: compiling and predicting take seconds for a large
network, finding the result milliseconds.
"""

from collections.abc import Callable
from importlib.metadata import version
from os import PathLike
from pathlib import Path

import celosia.host
from celosia.generators.chassis.configuration import EngineConfig
from celosia.generators.chassis.memory import MemoryModel
from celosia.sim.cache import cached, content_key, default_cache_directory
from celosia.sim.verilator import Progress

from .generation import generator_sources
from .model_file import read_model_file
from .program import Program
from .program_file import program_from_bytes, program_to_bytes

_STEP = "Compiling"
_FILE = "program.celosia"


def compiled(
    model: str | PathLike[str],
    config: EngineConfig,
    memory: MemoryModel,
    *,
    directory: Path | None = None,
    progress: Progress | None = None,
) -> Program:
    """The .tflite file `model` compiled for an engine of `config`, with its cycles behind `memory`.

    Raises:
        ModelError: the model cannot be used.
        CacheError: `directory` (the user's cache directory by default) cannot be used.
    """
    content, file = read_model_file(model), str(model)

    def build() -> Program:
        # Imported here: with the program in the cache, a run starts without importer, compiler and cycle model.
        from .compiler import compile_graph
        from .prediction import with_predictions
        from .tflite import parse_tflite

        graph = parse_tflite(content, file).require_graph()
        return with_predictions(compile_graph(graph, config, memory), memory)

    return _stored(
        [content, file, f"{config.hash:016x}", _timing(memory)],
        config.family,
        file,
        build,
        directory,
        progress,
    )


def predicted(
    program: Program, memory: MemoryModel, *, directory: Path | None = None, progress: Progress | None = None
) -> Program:
    """`program` with its cycles behind `memory`, as `with_predictions`.

    Raises:
        CacheError: `directory` (the user's cache directory by default) cannot be used.
    """
    if program.is_predicted_for(memory):
        return program

    def build() -> Program:
        # Imported here: as for `compiled`.
        from .prediction import with_predictions

        return with_predictions(program, memory)

    return _stored(
        [program_to_bytes(program), _timing(memory)],
        program.config.family,
        program.model,
        build,
        directory,
        progress,
    )


def _timing(memory: MemoryModel) -> str:
    rates = f"{memory.bytes_per_cycle} {memory.weights_bytes_per_cycle}"
    return f"{memory.latency} {rates} {memory.outstanding_reads} {memory.outstanding_writes}"


def _stored(
    parts: list[str | bytes],
    family: str,
    file: str,
    build: Callable[[], Program],
    directory: Path | None,
    progress: Progress | None,
) -> Program:
    """What `build` gives for `parts` and these sources, made once."""
    key = content_key([*parts, version("celosia"), *generator_sources(family), *_host_sources()])

    def fill(workspace: Path) -> None:
        if progress is not None:
            progress(_STEP, 0, 1)
        (workspace / _FILE).write_bytes(program_to_bytes(build()))
        if progress is not None:
            progress(_STEP, 1, 1)

    entry = cached((directory or default_cache_directory()) / "programs", key, fill)
    return program_from_bytes((entry / _FILE).read_bytes(), file)


def _host_sources() -> list[bytes]:
    """The content of every file that decides what a program is, besides those of the generators."""
    folder = Path(celosia.host.__path__[0])
    return [path.read_bytes() for path in sorted(folder.rglob("*.py"))]
