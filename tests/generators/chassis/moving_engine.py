"""The smallest accelerator: the chassis and a buffer, COMPUTE and ACTIVATE commands that are done at once.

WEIGHTS writes its beats into the buffer, so that everything the memory port brings in can be stored back.
"""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from celosia.generators.chassis import register_map as registers
from celosia.generators.chassis.command import (
    BEGIN,
    HALT,
    LOAD,
    STORE,
    CommandLayout,
    Field,
    Opcode,
    Region,
)
from celosia.generators.chassis.counters import Cause
from celosia.generators.chassis.register_map import ErrorCode
from celosia.generators.chassis.run_control import RUN_DOMAIN
from celosia.generators.chassis.shell import Chassis, ChassisParameters
from celosia.generators.top import CelosiaTop
from celosia.generators.verilog import write_verilog
from celosia.hdl.axi import AxiBus, AxiLiteBus, AxiLiteSignature, AxiSignature
from celosia.hdl.brick_buffer import BrickBuffer
from celosia.sim import SimulatedDevice

BRICKS = 1024
HASH = 0x1122334455667788
PROFILE_ENTRIES = 16
WEIGHTS = CommandLayout(
    Opcode.WEIGHTS,
    (
        Field("region", 2, "memory region"),
        Field("offset", 32, "first byte"),
        Field("beats", 20, "beats"),
        Field("destination", 2, "destination"),
        Field("address", 16, "first beat"),
        Field("words", 14, "not coded: 0"),
    ),
)
COMPUTE = CommandLayout(Opcode.COMPUTE, ())
ACTIVATE = CommandLayout(Opcode.ACTIVATE, (Field("snapshot", 1, "take a snapshot of the counters"),))

PARAMETERS = ChassisParameters(
    family_id=99,
    configuration_hash=HASH,
    macs=1,
    buffer_bytes=BRICKS * 8,
    weights=WEIGHTS,
    compute=COMPUTE,
    activate=ACTIVATE,
    destination_depths=(BRICKS, BRICKS, 256, 32),
    decoder_beats=64,
    queue_depth=4,
    burst_beats=16,
    outstanding_reads=4,
    address_bits=32,
    profile_entries=PROFILE_ENTRIES,
)


class MovingEngine(wiring.Component):
    """The chassis around a buffer."""

    csr: AxiLiteBus
    bus: AxiBus
    interrupt: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "csr": In(AxiLiteSignature(registers.ADDRESS_BITS)),
                "bus": Out(AxiSignature(32, 64)),
                "interrupt": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.chassis = chassis = Chassis(PARAMETERS)
        buffer = BrickBuffer(BRICKS)
        m.submodules.buffer = DomainRenamer(RUN_DOMAIN)(buffer)
        connect(m, flipped(self.csr), chassis.csr)
        connect(m, chassis.bus, flipped(self.bus))
        connect(m, chassis.load_bricks, buffer.load_write)
        connect(m, chassis.store_request, buffer.store_request)
        connect(m, buffer.store_response, chassis.store_response)
        write = chassis.destination_write
        m.d.comb += [
            self.interrupt.eq(chassis.interrupt),
            chassis.compute.ready.eq(1),
            chassis.activate.ready.eq(1),
            chassis.snapshot.eq(chassis.activate.valid & chassis.activate.payload.snapshot),
            chassis.cause.eq(Cause.ACTIVE),
            buffer.activate_write.enable.eq(write.valid),
            buffer.activate_write.address.eq(write.payload.address),
            buffer.activate_write.data.eq(write.payload.data),
            buffer.activate_write.halves.eq(0b11),
        ]
        return m


@cache
def verilog() -> str:
    """The test accelerator's Verilog."""
    return write_verilog(CelosiaTop(MovingEngine(), 32, 64), "The chassis' test accelerator.").text


REGION_ADDRESS = {
    Region.PROGRAM: 0x1000,
    Region.SCRATCH: 0x8000,
    Region.INPUT: 0x10000,
    Region.OUTPUT: 0x18000,
}
REGION_BYTES = 0x4000
MEMORY_BYTES = 0x20000
QUEUE_OFFSET = 0x40
TIMEOUT = 100_000
WATCHDOG = 2000


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    status: set[str]
    error: ErrorCode
    index: int
    address: int
    counters: dict[str, int] = field(default_factory=dict)


def transfer(
    region: Region, offset: int, rows: int, width: int, channels: int, row: int = 0
) -> dict[str, int]:
    """Fields of a LOAD or STORE of a map that lies densely in the buffer."""
    bricks = -(-channels // 8)
    return {
        "region": region,
        "offset": offset,
        "rows": rows,
        "width": width,
        "channels": channels,
        "row": row,
        "row_pitch": width * bricks,
        "channel_pitch": width,
        "ring_end": 0x1FFFF,
        "ring_size": 0,
    }


def program(*commands: bytes, configuration_hash: int = HASH) -> bytes:
    """BEGIN, the commands, HALT."""
    return b"".join([BEGIN.encode({"configuration_hash": configuration_hash}), *commands, HALT.encode({})])


def copy_program(rows: int, width: int, channels: int, offset: int = 0) -> bytes:
    """INPUT to OUTPUT: LOAD gives STORE a token."""
    return program(
        LOAD.encode({**transfer(Region.INPUT, offset, rows, width, channels), "signal": 1 << 4}),
        STORE.encode({**transfer(Region.OUTPUT, offset, rows, width, channels), "wait_load": 1}),
    )


def set_up(device: SimulatedDevice, words: bytes) -> None:
    """Regions, queue and watchdog of a run of `words`."""
    device.write_memory(REGION_ADDRESS[Region.PROGRAM] + QUEUE_OFFSET, words)
    for region, address in REGION_ADDRESS.items():
        device.write_register(registers.REGION_BASE_LO[region].offset, address)
        device.write_register(registers.REGION_BASE_HI[region].offset, 0)
        device.write_register(registers.REGION_LIMIT[region].offset, REGION_BYTES)
    device.write_register(registers.QUEUE_OFFSET.offset, QUEUE_OFFSET)
    device.write_register(registers.QUEUE_COUNT.offset, len(words) // 64)
    device.write_register(registers.WATCHDOG_CYCLES.offset, WATCHDOG)


def start(device: SimulatedDevice) -> None:
    """Write CONTROL.start."""
    device.write_register(registers.CONTROL.offset, registers.CONTROL.mask("start"))


def status(device: SimulatedDevice) -> set[str]:
    """The names of the bits that STATUS shows."""
    value = device.read_register(registers.STATUS.offset)
    return {entry.name for entry in registers.STATUS.fields if value & entry.mask}


def outcome(device: SimulatedDevice) -> Outcome:
    """What the registers say after a run."""
    return Outcome(
        status=status(device),
        error=ErrorCode(device.read_register(registers.ERROR_CODE.offset)),
        index=device.read_register(registers.ERROR_INDEX.offset),
        address=device.read_register(registers.ERROR_ADDRESS_LO.offset),
        counters={entry.name: device.read_register(entry.offset) for entry in registers.COUNTERS},
    )


def run(device: SimulatedDevice, words: bytes) -> Outcome:
    """Set up, start, wait for the interrupt."""
    set_up(device, words)
    start(device)
    device.wait_for_interrupt(TIMEOUT)
    return outcome(device)


def soft_reset(device: SimulatedDevice) -> None:
    """CONTROL.reset, and wait until it is done."""
    device.write_register(registers.CONTROL.offset, registers.CONTROL.mask("reset"))
    for _ in range(WATCHDOG):
        if "resetting" not in status(device):
            return
    raise AssertionError("still resetting")


def fill(device: SimulatedDevice, seed: int) -> np.ndarray:
    """Random bytes in INPUT, zeros in OUTPUT; returns INPUT."""
    data = np.random.default_rng(seed).integers(0, 256, REGION_BYTES, np.uint8)
    device.write_memory(REGION_ADDRESS[Region.INPUT], data)
    device.write_memory(REGION_ADDRESS[Region.OUTPUT], bytes(REGION_BYTES))
    return data
