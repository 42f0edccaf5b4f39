"""`shared_module`: components that are alike are elaborated once, and nothing else changes."""

import re
from typing import Any

import pytest
from amaranth.back import verilog
from amaranth.hdl import ClockDomain, ClockSignal, DomainRenamer, Module, ResetSignal, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from celosia.hdl.shared_module import shared_module
from celosia.hdl.verilog_platform import VerilogPlatform
from tests.gateware import simulate


class Scale(wiring.Component):
    """`o` is `i` times a constant, a cycle later."""

    i: Signal
    o: stream.Interface
    elaborated = 0

    def __init__(self, factor: int, bits: int = 8) -> None:
        self._factor = factor
        super().__init__({"i": In(bits), "o": Out(stream.Signature(unsigned(bits), always_ready=True))})

    @shared_module
    def elaborate(self, platform: object) -> Module:
        type(self).elaborated += 1
        m = Module()
        m.d.sync += [self.o.payload.eq(self.i * self._factor), self.o.valid.eq(1)]
        return m


class Twice(wiring.Component):
    """Shared modules inside a shared module."""

    i: Signal
    o: Signal

    def __init__(self) -> None:
        super().__init__({"i": In(8), "o": Out(8)})

    @shared_module
    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.first = first = Scale(3)
        m.submodules.second = second = Scale(3)
        m.d.comb += [first.i.eq(self.i), second.i.eq(first.o.payload), self.o.eq(second.o.payload)]
        return m


@pytest.fixture(autouse=True)
def _count_from_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scale, "elaborated", 0)


def emit(design: Module) -> tuple[list[str], list[str]]:
    """Names of the shared modules that a design makes, and of those that it instantiates, at any depth."""
    platform = VerilogPlatform()
    text = verilog.convert(design, platform=platform, ports=[])
    rtlil = platform.shared_modules.rtlil()
    made = re.findall(r"^module \\celosia\.(\S+)", rtlil, re.MULTILINE)
    placed = re.findall(r"^ *\\celosia\.(\S+) +\S+ +\(", text, re.MULTILINE)
    placed += re.findall(r"^  cell \\celosia\.(\S+) ", rtlil, re.MULTILINE)
    return made, placed


def side_by_side(*components: Any) -> Module:
    m = Module()
    for index, component in enumerate(components):
        m.submodules[f"unit_{index}"] = component
    return m


def test_components_that_are_alike_become_one_module() -> None:
    made, placed = emit(side_by_side(Scale(3), Scale(3), Scale(3)))
    assert made == ["scale"]
    assert placed == ["scale"] * 3
    assert Scale.elaborated == 1


def test_another_attribute_or_signature_makes_another_module() -> None:
    made, placed = emit(side_by_side(Scale(3), Scale(5), Scale(3, bits=9), Scale(5)))
    assert made == ["scale", "scale_2", "scale_3"]
    assert placed == ["scale", "scale_2", "scale_3", "scale_2"]


def test_modules_are_shared_inside_each_other() -> None:
    made, placed = emit(side_by_side(Twice(), Twice(), Scale(3)))
    assert sorted(made) == ["scale", "twice"]
    assert sorted(placed) == ["scale"] * 3 + ["twice"] * 2
    assert Scale.elaborated == 1


def test_designs_do_not_share_with_each_other() -> None:
    assert emit(side_by_side(Scale(3))) == emit(side_by_side(Scale(3))) == (["scale"], ["scale"])


def test_a_renamed_domain_brings_its_own_reset() -> None:
    m = Module()
    m.domains.run = ClockDomain()
    m.submodules.unit = DomainRenamer("run")(Scale(3))
    clock, clear = Signal(name="clock"), Signal(name="clear")
    m.d.comb += [ClockSignal("run").eq(clock), ResetSignal("run").eq(clear)]
    text = verilog.convert(m, platform=VerilogPlatform(), ports=[clock, clear])
    assert ".clk(clock)" in text
    assert ".rst(clear)" in text


def test_without_such_a_platform_it_is_elaborated_in_place() -> None:
    unit = Twice()

    async def testbench(ctx: Any) -> None:
        ctx.set(unit.i, 7)
        await ctx.tick().repeat(2)
        assert ctx.get(unit.o) == 63

    simulate(unit, testbenches=[testbench])
    assert Scale.elaborated == 2
