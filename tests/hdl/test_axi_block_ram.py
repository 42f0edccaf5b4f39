"""AxiBlockRam: right bytes under any back-pressure, a beat a cycle, errors for what it does not have."""

import random
from typing import Any

import pytest

from celosia.hdl.axi_block_ram import AxiBlockRam
from tests.axi_master import AxiMaster, Burst, random_write
from tests.gateware import convert, simulate

SIZE = 1 << 14


def block_ram() -> AxiBlockRam:
    return AxiBlockRam(address_bits=16, data_bits=64, size=SIZE)


def random_bursts(generator: random.Random, count: int) -> list[tuple[int, int]]:
    """Address, not always that of a whole beat, and beats; now and then beyond the end or across 4 KiB."""
    bursts = []
    for _ in range(count):
        beats = generator.choice([1, 2, 3, 8, 32, 256])
        address = 4096 * generator.randrange(6) + 8 * generator.randrange(512 - beats + 1)
        bursts.append((address + generator.choice([0, 5]), beats))
    bursts.insert(count // 2, (4096 - 8, 2))
    return bursts


@pytest.mark.parametrize("pause", [0.0, 0.2, 0.6])
def test_random_traffic_keeps_every_byte(pause: float) -> None:
    memory = block_ram()
    generator = random.Random(7)
    master = AxiMaster(memory.bus, SIZE, pause=pause, seed=8)
    writes = [random_write(generator, address, beats) for address, beats in random_bursts(generator, 30)]
    reads = [Burst(address, beats) for address, beats in random_bursts(generator, 20)]
    reads += [Burst(write.address, write.beats) for write in writes]
    simulate(memory, master.watch, testbenches=[*master.read(reads), *master.write(writes)])


def test_reads_and_writes_run_at_one_beat_a_cycle_each() -> None:
    memory = block_ram()
    generator = random.Random(9)
    master = AxiMaster(memory.bus, SIZE)
    writes = [random_write(generator, 256 * n, 32) for n in range(4)]
    reads = [Burst(8192 + 256 * n, 32) for n in range(4)]
    simulate(memory, master.watch, testbenches=[*master.read(reads), *master.write(writes)])
    taken = master.handshakes
    assert taken["ar"][0] + 3 == taken["r"][0]
    assert taken["aw"][0] + 2 == taken["w"][0]
    for channel in ("r", "w"):
        assert taken[channel] == list(range(taken[channel][0], taken[channel][0] + 128))
    assert taken["b"] == [cycle + 1 for cycle in taken["w"][31::32]]


def test_an_error_writes_nothing() -> None:
    memory = block_ram()
    master = AxiMaster(memory.bus, SIZE)
    written = Burst(0, 1, (0x1122334455667788,), (255,))
    # Without their high address bits these would be written to the same place, or next to it.
    refused = [Burst(SIZE, 1, (0,), (255,)), Burst(2 * SIZE + 4096 - 8, 2, (0, 0), (255, 255))]
    ask, receive = master.read(
        [Burst(0, 1), *(Burst(burst.address, burst.beats) for burst in refused), Burst(0, 1)]
    )

    async def ask_afterwards(ctx: Any) -> None:
        while len(master.handshakes["b"]) < 1 + len(refused):
            await ctx.tick()
        await ask(ctx)

    writes = master.write([written, *refused])
    simulate(memory, master.watch, testbenches=[*writes, ask_afterwards, receive])


def test_converts() -> None:
    assert "module" in convert(block_ram())


@pytest.mark.parametrize(
    ("size", "error", "text"),
    [
        (2048, ValueError, r"size must be a power of two in 4096..2\*\*16 bytes, not 2048"),
        (5000, ValueError, r"size must be a power of two in 4096..2\*\*16 bytes, not 5000"),
        (1 << 17, ValueError, r"size must be a power of two in 4096..2\*\*16 bytes, not 131072"),
        (4096.0, TypeError, "size must be an int, not 4096.0"),
    ],
)
def test_refuses_a_size(size: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        AxiBlockRam(address_bits=16, data_bits=64, size=size)
