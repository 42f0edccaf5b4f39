"""Verilog modules driven from arrays in one call: what `sim/` does for an accelerator, for any module."""

import ctypes
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from celosia.sim.cache import default_cache_directory
from celosia.sim.compiler import DEFAULT_COMPILER, find_compiler
from celosia.sim.verilator import Recipe, build, find_verilator_root

_SOURCE = Path(__file__).with_name("stepper.cpp")
_WORD_BITS = 32
_FEWEST_WORDS = 3  # Verilator has arrays of words only for what is wider than 64 bits


class RunEnded(AssertionError):
    """The design ended the run, with `$fatal` or `$finish`."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port of `width` bits; `clock` is driven by the stepper itself: low while the stimulus settles, then high."""

    name: str
    width: int
    is_output: bool = False
    is_clock: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A module under test: `instance` of `module`, with parameters as Verilog writes them.

    `stimulus` is the name under which its inputs get values; parts of the same name get the same.
    """

    instance: str
    module: str
    ports: tuple[Port, ...]
    parameters: Mapping[str, str | int]
    stimulus: str


class _Bench:
    """The top module: where in its two vectors each port lies."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.inputs: dict[tuple[str, str], tuple[int, int]] = {}
        self.outputs: dict[tuple[str, str], tuple[int, int]] = {}
        instances = []
        places = {False: 0, True: 0}
        for part in parts:
            connections = []
            for port in part.ports:
                if port.is_clock:
                    connections.append(f".{port.name}(clk)")
                    continue
                fields = self.outputs if port.is_output else self.inputs
                key = (part.instance if port.is_output else part.stimulus, port.name)
                if key not in fields:
                    fields[key] = (places[port.is_output], port.width)
                    places[port.is_output] += port.width
                first, _ = fields[key]
                vector = "response" if port.is_output else "stimulus"
                connections.append(f".{port.name}({vector}[{first} +: {port.width}])")
            parameters = ", ".join(f".{name}({value})" for name, value in part.parameters.items())
            instances.append(f"  {part.module} #({parameters}) {part.instance} ({', '.join(connections)});")
        words = {is_output: max(_FEWEST_WORDS, -(-bits // _WORD_BITS)) for is_output, bits in places.items()}
        self.stimulus_words, self.response_words = words[False], words[True]
        self.verilog = (
            f"module bench(input clk, input [{_WORD_BITS * words[False] - 1}:0] stimulus, "
            f"output [{_WORD_BITS * words[True] - 1}:0] response);\n" + "\n".join(instances) + "\nendmodule\n"
        )


def refusal(verilog: str, part: Part, folder: Path) -> str:
    """What Verilator says against a part that must not elaborate; empty if it does."""
    (folder / "design.v").write_text(verilog + _Bench([part]).verilog, encoding="utf-8")
    root = find_verilator_root()
    finished = subprocess.run(
        [
            root / "bin" / "verilator_bin",
            *("--lint-only", "--top-module", "bench", "-Wno-lint", "-Wno-style", "-Wno-MULTIDRIVEN"),
            folder / "design.v",
        ],
        env={**os.environ, "VERILATOR_ROOT": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    return finished.stderr


class Stepper:
    """Parts side by side in one Verilator model.

    Raises:
        ToolError: Verilator refuses them, in the constructor.
    """

    def __init__(self, verilog: str, parts: Sequence[Part]) -> None:
        bench = _Bench(parts)
        self._bench = bench
        self._run = _build(verilog + bench.verilog, bench.stimulus_words, bench.response_words)

    def run(self, stimulus: Mapping[tuple[str, str], Sequence[int]]) -> dict[tuple[str, str], list[int]]:
        """One value a step for each (stimulus, port) that is named, 0 for the others; values per (instance, port).

        Outputs are those after the inputs settled and before the clock rises.

        Raises:
            RunEnded: the design ended the run.
        """
        (steps,) = {len(values) for values in stimulus.values()}
        rows = [0] * steps
        for key, values in stimulus.items():
            first, width = self._bench.inputs[key]
            for step, value in enumerate(values):
                rows[step] |= (value & ((1 << width) - 1)) << first
        size = 4 * self._bench.stimulus_words
        packed = np.frombuffer(b"".join(row.to_bytes(size, "little") for row in rows), np.uint32)
        response: NDArray[np.uint32] = np.zeros((steps, self._bench.response_words), np.uint32)
        done = self._run(steps, packed.ctypes.data, response.ctypes.data)
        if done != steps:
            raise RunEnded(f"the design ended the run in step {done}")
        answers = [int.from_bytes(row.tobytes(), "little") for row in response]
        return {
            key: [answer >> first & ((1 << width) - 1) for answer in answers]
            for key, (first, width) in self._bench.outputs.items()
        }


def _build(verilog: str, stimulus_words: int, response_words: int) -> "ctypes._NamedFuncPointer":
    cache = default_cache_directory()
    compiler = find_compiler(DEFAULT_COMPILER, cache)
    recipe = Recipe(
        compiler=compiler,
        product="bench.so",
        verilate_flags=("--top-module", "bench", "--prefix", "Vbench", "-Wno-MULTIDRIVEN"),
        runtime=("verilated.cpp", "verilated_threads.cpp"),
        runtime_flags=(
            "-fvisibility=hidden",
            *("-DVL_USER_FATAL=1", "-DVL_USER_FINISH=1", "-DVL_USER_STOP=1"),
            *("-DVM_TRACE=0", "-DVM_TRACE_VCD=0", "-DVM_TRACE_FST=0"),
        ),
        sources=(_SOURCE,),
        headers=(),
        source_flags=(
            f"-DBENCH_STIMULUS_WORDS={stimulus_words}",
            f"-DBENCH_RESPONSE_WORDS={response_words}",
        ),
        link_flags=("-shared", *compiler.link_flags),
    )
    run = ctypes.CDLL(str(build(verilog, recipe, cache))).bench_run
    run.restype = ctypes.c_uint64
    run.argtypes = [ctypes.c_uint64, ctypes.c_void_p, ctypes.c_void_p]
    return run
