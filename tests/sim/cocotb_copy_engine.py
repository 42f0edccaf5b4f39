"""The cocotb bench of the copy engine, with cocotbext-axi as an independent peer on both buses.

Run by `test_cocotb_runner.py`.
"""

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam

from celosia.sim.cocotb_runner import bench_parameters
from tests.sim import copy_engine


def pauses(probability: float):
    while True:
        yield random.random() < probability


@cocotb.test()
async def copies_with_pauses_on_every_channel(dut):
    parameters = bench_parameters()
    dut.aresetn.value = 0
    cocotb.start_soon(Clock(dut.aclk, 10, unit="ns").start())
    registers = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.aclk, dut.aresetn, False)
    memory = AxiRam(AxiBus.from_prefix(dut, "m_axi"), dut.aclk, dut.aresetn, False, size=1 << 17)
    reads: Any = memory.read_if
    writes: Any = memory.write_if
    for channel in (
        *(reads.ar_channel, reads.r_channel),
        *(writes.aw_channel, writes.w_channel, writes.b_channel),
    ):
        channel.set_pause_generator(pauses(parameters["pause_probability"]))
    await ClockCycles(dut.aclk, 4)
    dut.aresetn.value = 1
    await RisingEdge(dut.aclk)

    bursts, beats = random.randint(1, 12), random.choice([1, 2, 4, 8, 16])
    data = random.randbytes(bursts * beats * 8)
    memory.write(0, data)
    for offset, value in (
        (copy_engine.REGISTER_SOURCE, 0),
        (copy_engine.REGISTER_DESTINATION, 0x10000),
        (copy_engine.REGISTER_BURSTS, bursts),
        (copy_engine.REGISTER_BURST_BEATS, beats),
        (copy_engine.REGISTER_CONTROL, 1),
    ):
        await registers.write_dword(offset, value)
    if not dut.irq.value:
        await with_timeout(RisingEdge(dut.irq), 200, "us")
    assert memory.read(0x10000, len(data)) == data
    assert await registers.read_dword(copy_engine.REGISTER_ERRORS) == parameters["expected_errors"]
