"""Runs a cocotb bench on a design under Verilator, for pytest.

cocotb's own runner builds with perl, make and a system compiler. Here the model is built like every other one,
by `verilator.py`, so a bench needs nothing but wheels (cocotb's libraries use the system's libstdc++.so.6); only
the run itself is left to cocotb's runner.
"""

import json
import logging
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .cache import default_cache_directory
from .compiler import DEFAULT_COMPILER, find_compiler
from .errors import ToolError
from .verilator import Progress, Recipe, build

_PARAMETERS_VARIABLE = "CELOSIA_BENCH_PARAMETERS"  # how they reach the simulator's process
_RESULTS = "results.xml"
_LOG = "bench.log"
_WAVEFORM = "dump.vcd"
_LOG_LINES = 40

_logger = logging.getLogger(__name__)


class BenchError(AssertionError):
    """A bench failed; the message names its seed, log and waveform."""


def run_bench(
    verilog: str,
    top: str,
    test_module: str,
    *,
    seed: int,
    directory: Path,
    parameters: Mapping[str, Any] | None = None,
    testcase: str | None = None,
    waveform_on_failure: bool = True,
    compiler: str = DEFAULT_COMPILER,
    cache_directory: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Run the cocotb tests of a module on a design; return if all pass.

    Args:
        verilog: source text of the design, such as `amaranth.back.verilog.convert` gives.
        top: its top module.
        test_module: the module with the tests, as imported from the current `sys.path`.
        seed: of cocotb, which seeds `random` in the bench; the same seed gives the same run.
        directory: where the log, the results and, after a failure, the waveform are left; made if missing.
        parameters: what `bench_parameters` returns in the bench; anything JSON can hold.
        testcase: run only this test.
        waveform_on_failure: repeat a failed run with the same seed on a model that writes a waveform.
        compiler: "zig", or a C++ compiler on this machine.
        cache_directory: where built models are kept; the user's cache directory by default.
        progress: called while building.

    Raises:
        BenchError: a test failed, or none ran.
        ToolError: cocotb, Verilator or the compiler is missing or failed.
        CacheError: the cache directory cannot be used.
    """
    directory.mkdir(parents=True, exist_ok=True)
    cache = cache_directory or default_cache_directory()

    def run(waves: bool) -> str | None:
        program = build(verilog, _recipe(top, compiler, cache, waves), cache, progress)
        return _run(program, test_module, seed, directory, parameters or {}, testcase, waves)

    _logger.info("bench %s of %s with seed %d", test_module, top, seed)
    failure = run(waves=False)
    if failure is None:
        return
    lines = [f"bench {test_module} of {top} failed with seed {seed}: {failure}", f"log: {directory / _LOG}"]
    if waveform_on_failure:
        repeated = run(waves=True)
        lines.append(f"waveform: {directory / _WAVEFORM}")
        if repeated is None:
            lines.append(
                "the repetition with the waveform passed: the bench does not only depend on its seed"
            )
    lines += (directory / _LOG).read_text(errors="replace").splitlines()[-_LOG_LINES:]
    raise BenchError("\n".join(lines))


def bench_parameters() -> dict[str, Any]:
    """In a bench: the `parameters` given to `run_bench`."""
    return json.loads(os.environ.get(_PARAMETERS_VARIABLE, "{}"))


def _recipe(top: str, compiler_name: str, cache_directory: Path, waves: bool) -> Recipe:
    try:
        from cocotb_tools import config
    except ImportError as error:
        raise ToolError("cocotb is not installed: run 'pip install cocotb'") from error
    compiler = find_compiler(compiler_name, cache_directory)
    libraries = str(config.libs_dir)
    defines = ("VM_TRACE", "VM_TRACE_VCD")
    return Recipe(
        compiler=compiler,
        product=top,  # the name under which cocotb's runner looks for the program
        verilate_flags=(
            *("--exe", "--top-module", top, "--prefix", "Vtop", "--vpi", "--public-flat-rw"),
            *("--timescale", "1ns/1ps"),
            *(("--trace-vcd",) if waves else ()),
        ),
        runtime=(
            *("verilated.cpp", "verilated_threads.cpp", "verilated_vpi.cpp"),
            *(("verilated_vcd_c.cpp",) if waves else ()),
        ),
        runtime_flags=("-DVM_TRACE_FST=0", *(f"-D{name}={waves:d}" for name in defines)),
        sources=(config.share_dir / "lib" / "verilator" / "verilator.cpp",),
        headers=(),
        source_flags=(f"-DCOCOTB_VERSION={version('cocotb')}",),
        link_flags=(
            *compiler.link_flags,
            *("-rdynamic", f"-L{libraries}", "-lcocotbvpi_verilator", f"-Wl,-rpath,{libraries}"),
        ),
    )


def _run(
    program: Path,
    test_module: str,
    seed: int,
    directory: Path,
    parameters: Mapping[str, Any],
    testcase: str | None,
    waves: bool,
) -> str | None:
    """Run the built bench; return what failed, or None."""
    from cocotb_tools.check_results import get_results
    from cocotb_tools.runner import get_runner

    results = directory / _RESULTS
    try:
        get_runner("verilator").test(
            test_module=test_module,
            hdl_toplevel=program.name,
            hdl_toplevel_lang="verilog",
            build_dir=program.parent,
            test_dir=directory,
            results_xml=str(results),
            testcase=testcase,
            seed=seed,
            waves=waves,
            log_file=directory / _LOG,
            extra_env={_PARAMETERS_VARIABLE: json.dumps(parameters)},
        )
    except SystemExit as error:  # how cocotb's runner reports a failure
        status = error.code
    except ValueError as error:
        raise ToolError(f"cocotb cannot run: {error}") from error
    else:
        status = 0
    if not results.exists():
        return f"the simulator ended with status {status} and no results"
    total, failed = get_results(results)
    if total == 0:
        return "no test ran"
    return f"{failed} of {total} tests failed" if failed or status else None
