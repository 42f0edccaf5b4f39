"""The writer of Verilog: what Amaranth emits and linters refuse is said another way that means the same."""

from pathlib import Path

import pytest
from amaranth.hdl import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from celosia.generators.chassis.register_map import ADDRESS_BITS
from celosia.generators.top import CelosiaTop
from celosia.generators.verilog import BlockRam, VerilogError, VerilogText, _run_yosys, write_verilog
from celosia.hdl.axi import AxiBus, AxiLiteBus, AxiLiteSignature, AxiSignature
from celosia.hdl.shared_module import shared_module
from tests.verilog_lint import lint


class Remember(wiring.Component):
    """A block RAM in a shared module."""

    i: Signal
    o: Signal

    def __init__(self) -> None:
        super().__init__({"i": In(32), "o": Out(32)})

    @shared_module
    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=32, depth=256, init=[], attrs={"no_rw_check": "1"})
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [
            write.addr.eq(self.i),
            write.data.eq(self.i),
            write.en.eq(self.i[-1]),
            read.addr.eq(self.i[8:]),
            self.o.eq(read.data),
        ]
        return m


class Awkward(wiring.Component):
    """Everything that once made a linter complain."""

    csr: AxiLiteBus
    bus: AxiBus
    interrupt: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "csr": In(AxiLiteSignature(ADDRESS_BITS)),
                "bus": Out(AxiSignature(32, 64)),
                "interrupt": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        data = self.csr.w.payload.data
        select = self.csr.aw.payload.address[:2]
        byte = Signal(8)
        m.d.comb += byte.eq(data >> select)
        m.d.sync += self.csr.r.payload.data.eq(byte)
        with m.Switch(select):
            with m.Case(1):
                m.d.sync += self.interrupt.eq(data == 0)
            with m.Case(2), m.If((data >> data[:5])[0]):
                m.d.sync += self.interrupt.eq(Array(byte)[data[5:8]])
        m.submodules.even = even = Remember()
        m.submodules.odd = odd = Remember()
        m.d.comb += [
            even.i.eq(data),
            odd.i.eq(~data),
            self.bus.ar.payload.address.eq(even.o),
            self.bus.aw.payload.address.eq(odd.o),
        ]
        return m


@pytest.fixture(scope="module")
def awkward() -> VerilogText:
    return write_verilog(CelosiaTop(Awkward(), 32, 64), "Awkward.")


def test_it_is_clean_for_a_linter(awkward: VerilogText, tmp_path: Path) -> None:
    (tmp_path / "celosia.v").write_text(awkward.text)
    assert lint(tmp_path / "celosia.v") == ""


def test_every_case_says_what_happens_otherwise(awkward: VerilogText) -> None:
    assert awkward.text.count("casez (") == awkward.text.count("default:") > 0


def test_block_rams_are_counted_in_every_instance_of_a_shared_module(awkward: VerilogText) -> None:
    assert awkward.block_rams == (BlockRam("block_ram_256x32", depth=256, width=32, instances=2),)
    assert awkward.text.count("module block_ram_256x32(") == 1
    assert awkward.text.count("module \\celosia.remember ") == 1


def test_a_failure_of_yosys_is_told_in_its_words() -> None:
    with pytest.raises(VerilogError, match=r"Yosys failed while writing Verilog: .*no_such_pass"):
        _run_yosys("no_such_pass\n")
