"""The cocotb bench of a whole engine: a compiled network behind cocotbext-axi's memory and register master.

Run by `test_cocotb_engine.py`. The seed is cocotb's, so a run is replayed with `COCOTB_RANDOM_SEED`.
"""

import random
from collections.abc import Iterator
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam, AxiRamRead, AxiReadBus

from celosia.generators.chassis import register_map as registers
from celosia.generators.chassis.command import Region
from celosia.sim.cocotb_runner import bench_parameters

RAM_BYTES = 1 << 18
LONGEST_RUN = 200_000
CAUSES = ("ACTIVE", "STALL_WEIGHTS", "STALL_IFM", "STALL_OFM", "STALL_DMA")


def pauses(density: float) -> Iterator[bool]:
    """Endless random pauses."""
    while True:
        yield random.random() < density


class Engine:
    """The engine with its memory, its register master and a monitor of its bus."""

    def __init__(self, dut: Any) -> None:
        self.dut = dut
        reset = {"reset": dut.aresetn, "reset_active_level": False}
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.aclk, **reset)
        self.ram = AxiRam(AxiBus.from_prefix(dut, "m_axi"), dut.aclk, **reset, size=RAM_BYTES)
        self.weights = None
        if hasattr(dut, "m_axi_weights_arvalid"):
            bus = AxiReadBus.from_prefix(dut, "m_axi_weights")
            self.weights = AxiRamRead(bus, dut.aclk, **reset, size=RAM_BYTES, mem=self.ram.mem)
        self.started = 0
        self.interrupted = 0
        self.bytes_read = 0
        self.bytes_written = 0
        self._cycle = 0

    async def reset(self) -> None:
        """Clock, reset, and the monitor."""
        cocotb.start_soon(Clock(self.dut.aclk, 10, unit="ns").start())
        self.dut.aresetn.value = 0
        for _ in range(8):
            await RisingEdge(self.dut.aclk)
        self.dut.aresetn.value = 1
        await RisingEdge(self.dut.aclk)
        cocotb.start_soon(self._monitor())

    def pause(self, density: float) -> None:
        """Random pauses of this density on all channels."""
        if self.weights is not None:
            for channel in (self.weights.ar_channel, self.weights.r_channel):
                channel.set_pause_generator(pauses(density))
        for interface in (self.master, self.ram):
            for name, side in (("write_if", "aw w b"), ("read_if", "ar r")):
                for channel in side.split():
                    stream = getattr(getattr(interface, name), f"{channel}_channel")
                    stream.set_pause_generator(pauses(density))

    async def read(self, register: registers.Register) -> int:
        """A register, over the bus."""
        return int(await self.master.read_dword(register.offset))

    async def write(self, register: registers.Register, value: int) -> None:
        """A register, over the bus."""
        await self.master.write_dword(register.offset, value)

    async def run(self) -> None:
        """Start, and wait for the interrupt."""
        self.bytes_read = self.bytes_written = 0
        await self.write(registers.CONTROL, registers.CONTROL.mask("start"))
        for _ in range(LONGEST_RUN):
            await FallingEdge(self.dut.aclk)
            if self.dut.irq.value == 1:
                return
        raise AssertionError(f"no interrupt within {LONGEST_RUN} cycles")

    async def _monitor(self) -> None:
        """What the counters must say, from the pins alone; sampled in the middle of each cycle."""
        dut = self.dut
        was_high = False
        while True:
            await FallingEdge(dut.aclk)
            self._cycle += 1
            for valid, ready in (
                (dut.s_axil_awvalid, dut.s_axil_awready),
                (dut.s_axil_wvalid, dut.s_axil_wready),
            ):
                if valid.value == 1 and ready.value == 1:
                    self.started = self._cycle  # the later of the two counts
            if dut.m_axi_rvalid.value == 1 and dut.m_axi_rready.value == 1:
                self.bytes_read += 8
            if self.weights is not None and dut.m_axi_weights_rvalid.value == 1:
                self.bytes_read += int(dut.m_axi_weights_rready.value) * len(dut.m_axi_weights_rdata) // 8
            if dut.m_axi_wvalid.value == 1 and dut.m_axi_wready.value == 1:
                self.bytes_written += int(dut.m_axi_wstrb.value).bit_count()
            is_high = dut.irq.value == 1
            if is_high and not was_high:
                self.interrupted = self._cycle
            was_high = is_high


@cocotb.test()
async def a_network_is_bit_exact_under_back_pressure(dut: Any) -> None:
    """Twice, so that the second run starts from what the first has left."""
    parameters = bench_parameters()
    engine = Engine(dut)
    await engine.reset()
    for region in Region:
        address, size = parameters["regions"][region.name]
        await engine.write(registers.REGION_BASE_LO[region], address)
        await engine.write(registers.REGION_LIMIT[region], size)
    engine.ram.write(parameters["regions"]["PROGRAM"][0], bytes.fromhex(parameters["program"]))
    await engine.write(registers.QUEUE_OFFSET, parameters["queue_offset"])
    await engine.write(registers.QUEUE_COUNT, parameters["queue_count"])
    for density in parameters["densities"]:
        engine.pause(density)
        for case in parameters["cases"]:
            engine.ram.write(parameters["regions"]["INPUT"][0], bytes.fromhex(case["input"]))
            await engine.run()
            engine.pause(0.0)
            assert await engine.read(registers.STATUS) == (
                registers.STATUS.mask("done") | registers.STATUS.mask("interrupt")
            )
            for binding, expected in case["outputs"]:
                content = bytes.fromhex(expected)
                address = parameters["regions"]["OUTPUT"][0] + binding
                assert engine.ram.read(address, len(content)) == content, f"density {density}"
            await check_counters(engine, parameters["causes"], parameters["counters"])
            engine.pause(density)


async def check_counters(engine: Engine, own_causes: list[str], own_counters: list[str]) -> None:
    """The counters say what was seen on the pins, and every cycle has one cause; the names are the family's own."""
    every = registers.counter_registers([registers.OwnCounter(name, "") for name in own_counters])
    counters = {register.name: await engine.read(register) for register in every}
    assert counters["BYTES_READ"] == engine.bytes_read
    assert counters["BYTES_WRITTEN"] == engine.bytes_written
    assert counters["CYCLES"] == engine.interrupted - engine.started
    assert counters["CYCLES"] == sum(counters[name] for name in (*CAUSES, *own_causes))
