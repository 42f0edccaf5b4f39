"""AxiSdram and the model of its chip: right bytes at every clock and under any back-pressure, at 2 bytes a cycle."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any

import pytest

from celosia.hdl.axi_sdram import AxiSdram
from celosia.hdl.sdram_pins import SdramCommand
from celosia.hdl.sdram_timing import AS4C16M16SA_7, SdramGeometry, SdramTiming
from tests.axi_master import AxiMaster, Burst, random_write
from tests.gateware import Gaps, convert, get, put, simulate
from tests.sdram_bench import SdramChip
from tests.sdram_model import SdramModel, SdramViolation

MHZ = 1_000_000
GEOMETRY = SdramGeometry()
SIZE = 1 << GEOMETRY.address_bits
TIMING = replace(AS4C16M16SA_7, power_up=2000)
"""The real power-up would be most of every simulation."""
FASTEST = 133 * MHZ


class Bench:
    """An `AxiSdram` for clocks up to `fastest`, run at `frequency`; `change` is made to its cycles."""

    def __init__(
        self,
        *,
        frequency: int = FASTEST,
        fastest: int = FASTEST,
        timing: SdramTiming = TIMING,
        geometry: SdramGeometry = GEOMETRY,
        change: Mapping[str, int] | None = None,
        registers: int = 0,
        pause: float = 0.0,
        seed: int = 0,
    ) -> None:
        self.frequency = frequency
        self.cycles = replace(timing.cycles(fastest), **(change or {}))
        self.memory = AxiSdram(geometry, self.cycles, pin_registers=2 * registers)
        self.chip = SdramChip(
            SdramModel(geometry, timing, frequency), registers_out=registers, registers_in=registers
        )
        self.master = AxiMaster(self.memory.bus, 1 << geometry.address_bits, pause=pause, seed=seed)

    def run(self, testbenches: Sequence[Any]) -> None:
        async def chip(ctx: Any) -> None:
            ctx.set(self.memory.refresh_interval, TIMING.refresh_interval(self.frequency))
            await self.chip.attach(ctx, self.memory.pins)

        simulate(self.memory, chip, self.master.watch, testbenches=testbenches)

    def after_power_up(self, testbench: Any) -> Any:
        """`testbench`, once the chip is initialised and the pins are quiet."""

        async def later(ctx: Any) -> None:
            await ctx.tick().until(self.memory.initialized)
            await ctx.tick().repeat(self.cycles.load_mode + 2)
            await testbench(ctx)

        return later


def random_bursts(generator: random.Random, count: int, *, writes: bool) -> list[Burst]:
    """Bursts of all lengths in few rows of every bank, so that rows and banks change often."""
    bursts = []
    for _ in range(count):
        beats = generator.choice([1, 1, 2, 3, 4, 8, 16, 33])
        block = generator.choice([0, 4096, 5 * 4096, SIZE - 4096])
        address = block + 8 * generator.randrange(512 - beats + 1) + generator.choice([0, 0, 3])
        bursts.append(random_write(generator, address, beats) if writes else Burst(address, beats))
    return bursts


@pytest.mark.parametrize(
    ("frequency", "registers", "pause"),
    [(50, 0, 0.0), (66, 1, 0.3), (80, 0, 0.6), (100, 1, 0.0), (125, 0, 0.3), (133, 1, 0.2)],
)
def test_random_traffic_keeps_every_byte(frequency: int, registers: int, pause: float) -> None:
    """All cycles are those of the fastest clock; only the refresh interval follows the clock in use."""
    bench = Bench(frequency=frequency * MHZ, registers=registers, pause=pause, seed=frequency)
    generator = random.Random(frequency)
    writes = random_bursts(generator, 18, writes=True)
    reads = random_bursts(generator, 18, writes=False) + [Burst(w.address, w.beats) for w in writes]
    bench.run([*bench.master.read(reads), *bench.master.write(writes)])
    assert bench.chip.model.refreshes


@pytest.mark.parametrize(
    ("name", "cycles", "parameter"),
    [
        ("row_to_column", 2, "tRCD"),
        ("precharge", 2, "tRP"),
        ("refresh", 8, "tRFC"),
        ("write_recovery", 1, "tWR"),
        ("power_up", 200, "power-up"),
        ("power_up_refreshes", 7, "DQM"),
        ("cas_latency", 2, "mode"),
    ],
)
def test_the_chip_notices_a_cycle_too_few(name: str, cycles: int, parameter: str) -> None:
    """So that what passes with this chip keeps the times of the datasheet, not ours."""
    bench = Bench(change={name: cycles})
    rows_of_a_bank = [Burst(4096 * number, 1) for number in range(120)]
    with pytest.raises(SdramViolation, match=f"^{parameter}"):
        bench.run(bench.master.write(writes_of(rows_of_a_bank)))


@pytest.mark.parametrize("frequency", [50, 90, 133])
def test_cycles_may_be_those_of_the_clock_in_use(frequency: int) -> None:
    bench = Bench(frequency=frequency * MHZ, fastest=frequency * MHZ)
    generator = random.Random(frequency)
    writes = random_bursts(generator, 15, writes=True)
    reads = [Burst(w.address, w.beats) for w in writes]
    bench.run([*bench.master.read(reads), *bench.master.write(writes)])


@pytest.mark.parametrize("geometry", [SdramGeometry(11, 8), SdramGeometry(13, 10)])
def test_smaller_and_larger_chips(geometry: SdramGeometry) -> None:
    """8 MiB with pages of 512 bytes, 64 MiB with pages of 2 KiB: bursts up to their last byte."""
    bench = Bench(geometry=geometry)
    generator = random.Random(6)
    end = 1 << geometry.address_bits
    places = [0, 512 - 40, 2048 - 40, 4096 - 128, end - 2048 - 64, end - 128]
    writes = [random_write(generator, place, 16) for place in places]
    reads = [Burst(write.address, write.beats) for write in writes]
    bench.run([*bench.master.read(reads), *bench.master.write(writes)])


def stream_of(count: int, start: int, *, beats: int = 32, step: int = 256) -> list[Burst]:
    return [Burst(start + number * step, beats) for number in range(count)]


def writes_of(bursts: Sequence[Burst]) -> list[Burst]:
    generator = random.Random(11)
    return [random_write(generator, burst.address, burst.beats, whole=True) for burst in bursts]


async def read_alone(ctx: Any, bus: Any, address: int) -> None:
    """One beat, from its address to its data."""
    await put(ctx, bus.ar, {"address": address, "length": 0})
    await get(ctx, bus.r)


def latencies(bench: Bench) -> list[int]:
    """Cycles from AR to R of reads of one beat, one at a time."""
    taken = bench.master.handshakes
    return [beat - address for address, beat in zip(taken["ar"], taken["r"], strict=True)]


@pytest.mark.parametrize("registers", [0, 1])
def test_latency_depends_on_the_row_alone(registers: int) -> None:
    """Without pin registers: 15 + cas_latency; tRCD - 1 more for a closed row; tRP more if another one is open."""
    bench = Bench(registers=registers)
    closed, opened, conflict = 0, 512, 4096

    async def read(ctx: Any) -> None:
        for address in (closed, opened, conflict, opened, 1024):
            await read_alone(ctx, bench.memory.bus, address)

    bench.run([bench.after_power_up(read)])
    assert latencies(bench) == [latency + 2 * registers for latency in (20, 18, 23, 23, 20)]


def gaps_between(bench: Bench, command: SdramCommand) -> Counter[int]:
    cycles = bench.chip.cycles_of(command)
    return Counter(after - before for before, after in pairwise(cycles))


@pytest.mark.parametrize("direction", ["reads", "writes"])
def test_a_stream_moves_2_bytes_a_cycle_between_refreshes(direction: str) -> None:
    """256 bytes a burst over rows and banks; only a REFRESH makes a gap: PRECHARGE, REFRESH, ACTIVE and 2 cycles."""
    bench = Bench()
    stream = stream_of(20, 1024 * 3)
    reads, writes = (stream, []) if direction == "reads" else ([], writes_of(stream))
    bench.run([*bench.master.read(reads), *bench.master.write(writes)])
    command = SdramCommand.READ if reads else SdramCommand.WRITE
    cycles = bench.cycles
    gap = cycles.access_to_precharge + cycles.precharge + cycles.refresh + 2 + cycles.row_to_column
    assert gap == 22
    assert gaps_between(bench, command) == {4: 20 * 32 - 1 - 2, gap: 2}
    if reads:
        beats = bench.master.handshakes["r"]
        assert beats[-1] - beats[0] == 4 * (20 * 32 - 1) + 2 * (gap - 4)


def test_a_slow_clock_pays_for_more_refreshes() -> None:
    """At 50 MHz with the cycles of 133 MHz one every 389 cycles: 1.91 bytes a cycle; 1.97 at 133 MHz."""
    bench = Bench(frequency=50 * MHZ)
    bench.run(bench.master.read(stream_of(20, 0)))
    beats = bench.master.handshakes["r"]
    rate = 8 * (len(beats) - 1) / (beats[-1] - beats[0])
    assert 1.90 < rate < 1.92


def test_bursts_of_one_beat_in_open_rows_stream_as_well() -> None:
    bench = Bench()
    bench.run(bench.master.read(stream_of(60, 0, beats=1, step=8)))
    assert gaps_between(bench, SdramCommand.READ) == {4: 59}


def test_reads_and_writes_take_turns() -> None:
    """Burst by burst, 5 cycles lost for a WRITE after a READ: 3 more than cas_latency; 1.94 bytes a cycle together."""
    bench = Bench()
    reads, writes = stream_of(20, 0), writes_of(stream_of(20, (1 << 20) + 2048))
    bench.run([*bench.master.read(reads), *bench.master.write(writes)])
    accesses = [(cycle, seen) for cycle, seen, _ in bench.chip.log if seen.value in (2, 3)]
    turns = [(command, len(list(group))) for command, group in groupby(seen for _, seen in accesses)]
    middle = turns[2:-4]
    assert len(middle) > 20
    assert {beats for _, beats in middle} == {32}
    moved = [cycle for cycle, _ in accesses]
    rate = 8 * (len(moved) - 1) / (moved[-1] - moved[0])
    assert 1.93 < rate < 1.95


def test_a_read_waits_for_two_writes_and_a_refresh_at_worst() -> None:
    """Beside a stream of writes in other rows of all banks: of 128 cycles each; rows are opened behind them."""
    bench = Bench()
    writes = writes_of(stream_of(40, 1 << 20))

    async def read(ctx: Any) -> None:
        gaps = Gaps(12, 0.95)
        for number in range(12):
            await gaps(ctx)
            await read_alone(ctx, bench.memory.bus, 1024 * number)

    bench.run([*bench.master.write(writes), bench.after_power_up(read)])
    assert max(latencies(bench)) == 281
    assert bench.chip.model.worst_refresh_debt < 300 * 1000 / 133


def test_bursts_it_cannot_serve_are_refused_and_change_nothing() -> None:
    bench = Bench(pause=0.2)
    kept = random_write(random.Random(13), 0, 2, whole=True)
    refused = [
        Burst(SIZE, 2),
        Burst(2 * SIZE - 8, 1),
        Burst(4096 - 8, 2),
        Burst(SIZE - 16, 3),
        Burst(1 << 31, 256),
    ]
    ask, receive = bench.master.read([*refused, Burst(0, 2), *refused])

    async def ask_afterwards(ctx: Any) -> None:
        while len(bench.master.handshakes["b"]) < 1 + len(refused):
            await ctx.tick()
        await ask(ctx)

    bench.run([*bench.master.write([kept, *writes_of(refused)]), ask_afterwards, receive])


def test_a_read_that_nobody_takes_stops_neither_writes_nor_refreshes() -> None:
    bench = Bench()
    ask, _ = bench.master.read(stream_of(5, 0))
    writes = writes_of(stream_of(30, 1 << 20))
    bench.run([ask, *bench.master.write(writes)])
    assert len(bench.master.handshakes["b"]) == 30
    assert bench.chip.model.refreshes >= 3


def test_a_write_without_data_stops_neither_reads_nor_refreshes() -> None:
    bench = Bench()

    async def announce(ctx: Any) -> None:
        await put(ctx, bench.memory.bus.aw, {"address": 1 << 20, "length": 31})

    bench.run([announce, *bench.master.read(stream_of(30, 0))])
    assert len(bench.master.handshakes["r"]) == 30 * 32
    assert bench.chip.model.refreshes >= 3


def test_power_up_takes_the_time_of_the_datasheet() -> None:
    bench = Bench(timing=AS4C16M16SA_7, frequency=50 * MHZ, fastest=50 * MHZ)
    bench.run([bench.after_power_up(bench.master.read([Burst(0, 1)])[0])])
    commands = [command for _, command, _ in bench.chip.log]
    assert commands[:10] == [SdramCommand.PRECHARGE, *[SdramCommand.REFRESH] * 8, SdramCommand.LOAD_MODE]
    assert bench.chip.log[0][0] * 20 == pytest.approx(200_000, abs=40)


def test_converts() -> None:
    assert "module" in convert(AxiSdram(GEOMETRY, TIMING.cycles(FASTEST), pin_registers=2))


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"address_bits": 24}, ValueError, "address_bits must be at least the chip's 25, not 24"),
        ({"outstanding": 3}, ValueError, "outstanding must be at least 4, not 3"),
        ({"pin_registers": -1}, ValueError, "pin_registers must be at least 0, not -1"),
        ({"pin_registers": 0.5}, TypeError, "pin_registers must be an int, not 0.5"),
    ],
)
def test_refuses_what_it_cannot_be(change: dict[str, Any], error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        AxiSdram(GEOMETRY, TIMING.cycles(FASTEST), **change)
