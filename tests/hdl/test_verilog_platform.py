"""`VerilogPlatform` and `Ecp5Platform`: what becomes a module of its own on the way to Verilog."""

from amaranth.back import verilog
from amaranth.hdl import Module, signed
from amaranth.lib.memory import Memory

from celosia.hdl.dual_port_memory import DualPortMemory
from celosia.hdl.ecp5_platform import Ecp5Platform
from celosia.hdl.multiplier import Multiplier
from celosia.hdl.verilog_platform import VerilogPlatform


def design() -> Module:
    m = Module()
    for index in range(2):
        m.submodules[f"multiplier_{index}"] = Multiplier(signed(9), signed(9))
        m.submodules[f"dual_{index}"] = DualPortMemory(512, 32)
        m.submodules[f"memory_{index}"] = memory = Memory(shape=32, depth=512, init=[])
        memory.read_port()
        memory.write_port()
    return m


def test_memories_and_components_are_two_instances_of_one_module_each() -> None:
    platform = VerilogPlatform()
    text = verilog.convert(design(), platform=platform, ports=[])
    for name in ("block_ram_512x32 ", "block_ram_512x32_dual ", "\\celosia.multiplier "):
        assert text.count(f"  {name}") == 2
    assert sorted(platform.memories) == ["block_ram_512x32", "block_ram_512x32_dual"]
    assert platform.shared_modules.rtlil().count("module \\celosia.multiplier") == 1


def test_multipliers_of_ecp5_are_shared_too() -> None:
    platform = Ecp5Platform()
    text = verilog.convert(design(), platform=platform, ports=[])
    assert "MULT18X18D" not in text
    assert platform.shared_modules.rtlil().count("cell \\MULT18X18D") == 1
