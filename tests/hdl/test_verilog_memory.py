"""`VerilogMemories`: large memories as instances of one shared module, small ones as ever."""

from amaranth.back import verilog
from amaranth.hdl import Module
from amaranth.lib.memory import Memory

from celosia.hdl.verilog_memory import VerilogMemories


def design(*memories: Memory, transparent: bool = False) -> tuple[Module, list]:
    m = Module()
    ports = []
    for memory in memories:
        m.submodules += memory
        write = memory.write_port(granularity=8)
        read = memory.read_port(transparent_for=[write] if transparent else [])
        ports += [read.addr, read.en, read.data, write.addr, write.en, write.data]
    return m, ports


def emit(*memories: Memory, transparent: bool = False) -> tuple[str, VerilogMemories]:
    m, ports = design(*memories, transparent=transparent)
    platform = VerilogMemories()
    return verilog.convert(m, platform=platform, ports=ports), platform


def block_ram(depth: int = 512) -> Memory:
    return Memory(shape=16, depth=depth, init=[])


def test_memories_of_one_shape_share_one_module() -> None:
    text, platform = emit(block_ram(), block_ram(), block_ram(1024))
    assert list(platform) == ["block_ram_1024x16_in_2", "block_ram_512x16_in_2"]
    assert text.count("block_ram_512x16_in_2") == 2
    assert platform.modules().count("endmodule") == 2
    assert "initial" not in platform.modules()


def test_large_memories_cost_no_text() -> None:
    text, _ = emit(block_ram(1 << 16))
    assert len(text) < 10_000


def test_small_initialised_and_transparent_memories_are_emitted_as_ever() -> None:
    for text, platform in [
        emit(block_ram(16)),
        emit(Memory(shape=16, depth=512, init=[1])),
        emit(block_ram(), transparent=True),
    ]:
        assert list(platform) == []
        assert "initial begin" in text
