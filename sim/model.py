"""The shared library that simulates an accelerator: its Verilated model with `harness.cpp` around it."""

from pathlib import Path
from typing import Literal

from .cache import default_cache_directory
from .compiler import DEFAULT_COMPILER, Compiler, find_compiler, finds_headers
from .errors import ToolError
from .ports import SimulatedPorts
from .verilator import Progress, Recipe, build

TraceFormat = Literal["vcd", "fst"]

_HERE = Path(__file__).parent
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp")
_FST_HEADERS = ("lz4.h", "zlib.h")


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
    directory = cache_directory or default_cache_directory()
    recipe = _recipe(find_compiler(compiler, directory), ports, trace)
    if trace is None:
        verilog = "\n".join((verilog, (_HERE / "cycle.v").read_text(encoding="utf-8")))
    return build(verilog, recipe, directory, progress)


def _recipe(compiler: Compiler, ports: SimulatedPorts, trace: TraceFormat | None) -> Recipe:
    if trace == "fst" and not finds_headers(compiler, _FST_HEADERS):
        raise ToolError(
            "FST traces need the libraries LZ4 and zlib with their headers (Debian: liblz4-dev, zlib1g-dev): "
            "install them, or name the trace *.vcd"
        )
    runtime_defines = {
        "VL_USER_FATAL": True,  # the harness defines these hooks; the defaults end the process
        "VL_USER_FINISH": True,
        "VL_USER_STOP": True,
        "VM_TRACE": trace is not None,
        "VM_TRACE_VCD": trace == "vcd",
        "VM_TRACE_FST": trace == "fst",
    }
    harness_defines = {
        "CELOSIA_BEAT_BYTES": ports.beat_bytes,
        "CELOSIA_WEIGHTS_BEAT_BYTES": ports.weights_beat_bytes,
        "CELOSIA_TRACE_VCD": trace == "vcd",
        "CELOSIA_TRACE_FST": trace == "fst",
    }
    return Recipe(
        compiler=compiler,
        product="celosia.so",
        verilate_flags=(
            *("--prefix", "Vcelosia"),
            *(("--top-module", "celosia", f"--trace-{trace}") if trace else _cycle_flags(ports)),
        ),
        runtime=_RUNTIME + ((f"verilated_{trace}_c.cpp",) if trace else ()),
        runtime_flags=(
            "-fvisibility=hidden",  # several models in one process must not share symbols
            *(f"-D{name}={value:d}" for name, value in runtime_defines.items()),
        ),
        sources=(_HERE / "harness.cpp",),
        headers=(_HERE / "axi_memory.h", _HERE / "weights_port.h"),
        source_flags=tuple(f"-D{name}={value:d}" for name, value in harness_defines.items()),
        link_flags=("-shared", *compiler.link_flags, *(("-llz4", "-lz") if trace == "fst" else ())),
    )


def _cycle_flags(ports: SimulatedPorts) -> tuple[str, ...]:
    """Of Verilator, for `cycle.v` around the design."""
    widths = {
        "ADDRESS_BITS": ports.address_bits,
        "DATA_BITS": ports.data_bits,
        "WEIGHTS_BITS": ports.weights_bits or ports.data_bits,
    }
    return ("--top-module", "cycle", *(f"-G{name}={width}" for name, width in widths.items()))
