"""The chassis: all of an accelerator but its compute core."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Cat, DomainRenamer, Module, Mux, ResetSignal, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...hdl.axi import AxiBus, AxiLiteBus, AxiLiteSignature, AxiReadBus, AxiReadSignature, AxiSignature
from ...hdl.axi_read_arbiter import AxiReadArbiter
from . import register_map as registers
from .command import LOAD, STORE, CommandLayout, Region, Verb
from .command_queue import CommandQueue
from .counters import Cause, PerformanceCounters, amounts_layout, cause_shape
from .csr import CsrBlock
from .decoder_port import DecoderPort, DecoderSignature
from .destination_port import destination_write_signature
from .fetch import CommandFetch
from .load import LoadUnit, brick_write_layout
from .oldest_command import OldestCommand
from .run_control import RUN_DOMAIN, START_CYCLES, RunControl
from .store import StoreUnit, brick_data_layout, brick_request_layout
from .tokens import TokenCounters
from .weights import WeightsUnit

_HALF = registers.REGISTER_BITS


@dataclass(frozen=True)
class ChassisParameters:
    """What a family tells the chassis about itself.

    Attributes:
        family_id: the FAMILY register.
        configuration_hash: the CONFIG_HASH registers; a program's BEGIN must carry it.
        macs, buffer_bytes: the registers of the same names.
        weights, compute, activate: the family's command words of these verbs.
        destination_depths: 64-bit beats of each destination of WEIGHTS; addresses wrap there.
        decoder_beats: beats that the queue of the weight decoder holds.
        queue_depth: commands that each verb's queue stores.
        burst_beats: longest AXI burst.
        outstanding_reads: AXI read bursts in flight.
        address_bits: width of an AXI address.
        profile_entries: snapshots that the profile memory holds.
        counters: that the family has besides `register_map.COUNTERS`.
        brick_pieces: pieces of `data_bits` in a brick of the unified buffer; LOAD and STORE move one a cycle.
        weights_port_bits: width of a port of its own for WEIGHTS; 0 if it shares that of the others.
        weights_freed_beats: beats that leave the decoder's queue together.
        data_bits: width of `bus`; LOAD and STORE move a piece of so many bits of a brick a cycle.
        destination_bits: of a beat of WEIGHTS that go into a memory of the core, 64 or all of them.
    """

    family_id: int
    configuration_hash: int
    macs: int
    buffer_bytes: int
    weights: CommandLayout
    compute: CommandLayout
    activate: CommandLayout
    destination_depths: Sequence[int]
    decoder_beats: int
    queue_depth: int
    burst_beats: int
    outstanding_reads: int
    address_bits: int
    profile_entries: int
    counters: tuple[registers.OwnCounter, ...] = ()
    brick_pieces: int = 1
    weights_port_bits: int = 0
    weights_freed_beats: int = 1
    data_bits: int = 64
    destination_bits: int = 64

    @property
    def layouts(self) -> dict[Verb, CommandLayout]:
        """The command words of every verb."""
        return {
            Verb.LOAD: LOAD,
            Verb.WEIGHTS: self.weights,
            Verb.COMPUTE: self.compute,
            Verb.ACTIVATE: self.activate,
            Verb.STORE: STORE,
        }


class Chassis(wiring.Component):
    """Registers, command fetch and queues, the three data-moving units, the memory port, counters.

        csr --> registers --> run control --> fetch --> queues (tokens) --+--> compute, activate  (the core)
                                                 |                        +--> LOAD, WEIGHTS, STORE
        bus <== arbiter <== fetch, LOAD, WEIGHTS; STORE
        weights_bus <== arbiter <== WEIGHTS, if it has a port of its own

    All of it but the registers and the run control is in the domain `RUN_DOMAIN`, and so must the core be: it has the
    clock of "sync" and is reset with it, before every run and by CONTROL.reset. A run that ended in any way leaves
    nothing behind.

    Members:
        csr: AXI4-Lite slave, the registers of `register_map`.
        bus: AXI4 master.
        weights_bus: AXI4 master that only reads; there only with `weights_port_bits`.
        interrupt: level.
        compute, activate: commands of the core, each taken at its completion.
        load_bricks: bricks that LOAD writes into the unified buffer.
        store_request, store_response: bricks that STORE reads from it.
        destination_write: beats that WEIGHTS writes into the core's memories, from registers.
        decoder: `DecoderSignature`, coded beats of WEIGHTS.
        cause: what COMPUTE does in this cycle, as long as it has a command; DMA for none of the others. Behind `Cause`
            the causes among the family's own counters, in order.
        amounts: see `PerformanceCounters`; there only if the family has counters of amounts.
        progress: something moved in the core in this cycle (for the watchdog).
        snapshot: ACTIVATE completed a command that asks for a snapshot of the counters.
    """

    csr: AxiLiteBus
    bus: AxiBus
    weights_bus: AxiReadBus
    interrupt: Signal
    compute: stream.Interface
    activate: stream.Interface
    load_bricks: stream.Interface
    store_request: stream.Interface
    store_response: stream.Interface
    destination_write: stream.Interface
    decoder: DecoderPort
    cause: Signal
    amounts: data.View
    progress: Signal
    snapshot: Signal

    def __init__(self, parameters: ChassisParameters) -> None:
        self._parameters = parameters
        address_bits = parameters.address_bits
        self._csr = CsrBlock(registers.register_list(parameters.counters))
        self._control = RunControl(address_bits, error_sources=4)
        self._fetch = CommandFetch(
            parameters.layouts,
            parameters.configuration_hash,
            address_bits,
            parameters.burst_beats,
            parameters.data_bits,
        )
        self._queues = {
            verb: CommandQueue(layout, parameters.queue_depth) for verb, layout in parameters.layouts.items()
        }
        self._tokens = TokenCounters()
        port_bits = parameters.weights_port_bits
        self._weights_arbiter = None
        if port_bits:
            self._weights_arbiter = AxiReadArbiter(
                clients=1,
                address_bits=address_bits,
                data_bits=port_bits,
                outstanding=parameters.outstanding_reads,
            )
        self._arbiter = AxiReadArbiter(
            clients=2 if port_bits else 3,
            address_bits=address_bits,
            data_bits=parameters.data_bits,
            outstanding=parameters.outstanding_reads,
        )
        self._load = LoadUnit(
            address_bits=address_bits,
            burst_beats=parameters.burst_beats,
            outstanding=parameters.outstanding_reads,
            pieces=parameters.brick_pieces,
            beat_bits=parameters.data_bits,
        )
        self._weights = WeightsUnit(
            parameters.weights,
            parameters.destination_depths,
            address_bits=address_bits,
            burst_beats=parameters.burst_beats,
            decoder_beats=parameters.decoder_beats,
            freed_beats=parameters.weights_freed_beats,
            beat_bits=port_bits or parameters.data_bits,
            destination_bits=parameters.destination_bits,
        )
        self._store = StoreUnit(
            address_bits=address_bits,
            burst_beats=parameters.burst_beats,
            pieces=parameters.brick_pieces,
            beat_bits=parameters.data_bits,
        )
        self._counters = PerformanceCounters(
            parameters.profile_entries,
            (parameters.data_bits + port_bits) // 8,
            START_CYCLES,
            parameters.counters,
        )
        amounts = amounts_layout(parameters.counters)
        super().__init__(
            {
                "csr": In(AxiLiteSignature(registers.ADDRESS_BITS)),
                "bus": Out(AxiSignature(address_bits, parameters.data_bits)),
                **({"weights_bus": Out(AxiReadSignature(address_bits, port_bits))} if port_bits else {}),
                "interrupt": Out(1),
                "compute": Out(stream.Signature(parameters.compute.struct())),
                "activate": Out(stream.Signature(parameters.activate.struct())),
                "load_bricks": Out(
                    stream.Signature(brick_write_layout(parameters.brick_pieces, parameters.data_bits))
                ),
                "store_request": Out(stream.Signature(brick_request_layout(parameters.brick_pieces))),
                "store_response": In(stream.Signature(brick_data_layout(parameters.data_bits))),
                "destination_write": Out(destination_write_signature(parameters.destination_bits)),
                "decoder": Out(DecoderSignature(parameters.weights, port_bits or parameters.data_bits)),
                "cause": In(cause_shape(parameters.counters)),
                **({"amounts": In(amounts)} if amounts.members else {}),
                "progress": In(1),
                "snapshot": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Registers and run control stay; the rest restarts with every run."""
        m = Module()
        m.submodules.csr = self._csr
        m.submodules.control = control = self._control
        m.d.comb += [
            ResetSignal(RUN_DOMAIN).eq(ResetSignal() | control.clear),
            self.interrupt.eq(control.interrupt),
        ]
        restart = DomainRenamer(RUN_DOMAIN)
        m.submodules.fetch = restart(self._fetch)
        m.submodules.tokens = restart(self._tokens)
        for verb, queue in self._queues.items():
            m.submodules[f"queue_{verb.name.lower()}"] = restart(queue)
            connect(m, self._fetch.beats[verb], queue.beats)
            connect(m, queue.tokens, self._tokens.verbs[verb])
            given = self._weights.given if verb is Verb.WEIGHTS else queue.given
            m.d.comb += self._tokens.given[verb].eq(given)
        m.submodules.arbiter = restart(self._arbiter)
        if self._weights_arbiter is not None:
            m.submodules.weights_arbiter = restart(self._weights_arbiter)
        m.submodules.load = restart(self._load)
        m.submodules.weights = restart(self._weights)
        m.submodules.store = restart(self._store)
        m.submodules.counters = self._counters
        self._connect_registers(m)
        self._connect_units(m)
        self._connect_destination_write(m)
        self._connect_control(m)
        self._connect_counters(m)
        return m

    def _connect_registers(self, m: Module) -> None:
        """What the registers show and what they set, but for the counters."""
        parameters = self._parameters
        control = self._control
        csr = self._csr
        connect(m, flipped(self.csr), csr.bus)
        constants = {
            registers.MAGIC: registers.MAGIC_VALUE,
            registers.VERSION: registers.CHASSIS_VERSION,
            registers.FAMILY: parameters.family_id,
            registers.CONFIG_HASH_LO: parameters.configuration_hash & ((1 << _HALF) - 1),
            registers.CONFIG_HASH_HI: parameters.configuration_hash >> _HALF,
            registers.MACS: parameters.macs,
            registers.BUFFER_BYTES: parameters.buffer_bytes,
            registers.PROFILE_ENTRIES: parameters.profile_entries,
        }
        shown = {
            registers.STATUS: control.status,
            registers.ERROR_CODE: control.error.code,
            registers.ERROR_INDEX: control.error.index,
            registers.ERROR_ADDRESS_LO: control.error.address[:_HALF],
            registers.ERROR_ADDRESS_HI: control.error.address[_HALF:],
        }
        m.d.comb += [csr.port(register).eq(value) for register, value in {**constants, **shown}.items()]

        for port, name in (
            (control.start, "start"),
            (control.reset, "reset"),
            (control.interrupt_clear, "interrupt_clear"),
        ):
            m.d.comb += port.eq(csr.port(registers.CONTROL)[registers.CONTROL.field(name).low])
        m.d.comb += [
            control.watchdog_cycles.eq(csr.port(registers.WATCHDOG_CYCLES)),
            self._fetch.offset.eq(csr.port(registers.QUEUE_OFFSET)),
            self._fetch.count.eq(csr.port(registers.QUEUE_COUNT)),
            self._fetch.base.eq(self._region_base(Region.PROGRAM)),
            self._fetch.limit.eq(csr.port(registers.REGION_LIMIT[Region.PROGRAM])),
        ]
        for unit in (self._load, self._weights, self._store):
            for region in Region:
                m.d.comb += [
                    unit.regions[region].base.eq(self._region_base(region)),
                    unit.regions[region].limit.eq(csr.port(registers.REGION_LIMIT[region])),
                ]

    def _region_base(self, region: Region) -> Any:
        low = self._csr.port(registers.REGION_BASE_LO[region])
        high = self._csr.port(registers.REGION_BASE_HI[region])
        return Cat(low, high)[: self._parameters.address_bits]

    def _connect_units(self, m: Module) -> None:
        """Queues to units, units to the buses."""
        connect(m, self._queues[Verb.LOAD].command, self._load.command)
        connect(m, self._queues[Verb.WEIGHTS].command, self._weights.command)
        connect(m, self._queues[Verb.STORE].command, self._store.command)
        connect(m, self._queues[Verb.COMPUTE].command, flipped(self.compute))
        connect(m, self._queues[Verb.ACTIVATE].command, flipped(self.activate))
        clients = [self._fetch.read, self._load.read]
        if self._weights_arbiter is None:
            clients.append(self._weights.read)
        else:
            connect(m, self._weights.read, self._weights_arbiter.clients[0])
            connect(m, self._weights_arbiter.bus.ar, flipped(self.weights_bus.ar))
            connect(m, flipped(self.weights_bus.r), self._weights_arbiter.bus.r)
        for index, client in enumerate(clients):
            connect(m, client, self._arbiter.clients[index])
        connect(m, self._load.bricks, flipped(self.load_bricks))
        connect(m, self._store.request, flipped(self.store_request))
        connect(m, flipped(self.store_response), self._store.response)
        connect(m, self._weights.decoder, flipped(self.decoder))
        connect(m, self._arbiter.bus.ar, flipped(self.bus.ar))
        connect(m, flipped(self.bus.r), self._arbiter.bus.r)
        connect(m, self._store.bus.aw, flipped(self.bus.aw))
        connect(m, self._store.bus.w, flipped(self.bus.w))
        connect(m, flipped(self.bus.b), self._store.bus.b)

    def _connect_destination_write(self, m: Module) -> None:
        """A register: beats come late and memories lie far apart. Who reads is told by a token, which takes longer."""
        write = Signal.like(self._weights.write.payload, reset_less=True)
        valid = Signal()
        m.d[RUN_DOMAIN] += [write.eq(self._weights.write.payload), valid.eq(self._weights.write.valid)]
        m.d.comb += [self.destination_write.payload.eq(write), self.destination_write.valid.eq(valid)]

    def _connect_control(self, m: Module) -> None:
        """The run control sees everything and stops everyone."""
        control = self._control
        m.submodules.oldest = oldest = OldestCommand(len(self._queues))
        for head, queue in zip(oldest.heads, self._queues.values(), strict=True):
            m.d.comb += head.eq(queue.oldest)
        with m.If(self._weights.oldest.valid):
            m.d.comb += oldest.heads[Verb.WEIGHTS].eq(self._weights.oldest)
        units = (self._fetch, self._load, self._weights, self._store)
        for source, unit in zip(control.errors, units, strict=True):
            m.d.comb += [source.eq(unit.error), unit.stop.eq(control.stop)]
        channels = [self.bus.ar, self.bus.r, self.bus.aw, self.bus.w, self.bus.b]
        bus_idle = self._arbiter.idle & self._store.bus_idle
        if self._weights_arbiter is not None:
            channels += [self.weights_bus.ar, self.weights_bus.r]
            bus_idle &= self._weights_arbiter.idle
        moved = [channel.valid & channel.ready for channel in channels]
        for queue in self._queues.values():
            moved += [queue.beats.valid & queue.beats.ready, queue.command.valid & queue.command.ready]
        moved += [self.load_bricks.valid & self.load_bricks.ready]
        m.d.sync += control.progress.eq(Cat(moved, self.progress).any())
        m.d.comb += [
            self._fetch.start.eq(control.fetch_start),
            control.halted.eq(self._fetch.halted),
            control.oldest_index.eq(oldest.index),
            oldest.next_index.eq(self._fetch.next_index),
            control.queues_idle.eq(
                Cat(queue.idle for queue in self._queues.values()).all() & ~self._weights.busy
            ),
            control.bus_idle.eq(bus_idle),
        ]

    def _connect_counters(self, m: Module) -> None:
        """The cause of each cycle: the core's word while it has a command, else the token it lacks."""
        counters = self._counters
        csr = self._csr
        queue = self._queues[Verb.COMPUTE]
        missing = queue.missing
        with m.If(queue.command.valid):
            m.d.comb += counters.cause.eq(self.cause)
        with m.Elif(missing[Verb.WEIGHTS]):
            m.d.comb += counters.cause.eq(Cause.WEIGHTS)
        with m.Elif(missing[Verb.LOAD]):
            m.d.comb += counters.cause.eq(Cause.IFM)
        with m.Elif(missing[Verb.ACTIVATE] | missing[Verb.STORE]):
            m.d.comb += counters.cause.eq(Cause.OFM)
        with m.Else():
            m.d.comb += counters.cause.eq(Cause.DMA)
        # Strobes come straight from a block RAM, late in the cycle.
        beat_bytes = self._parameters.data_bits // 8
        strobes = Signal(beat_bytes)
        m.d.sync += strobes.eq(Mux(self.bus.w.valid & self.bus.w.ready, self.bus.w.payload.strobe, 0))
        if amounts_layout(self._parameters.counters).members:
            m.d.comb += counters.amounts.eq(self.amounts)
        bytes_read = Mux(self.bus.r.valid & self.bus.r.ready, beat_bytes, 0)
        if port_bytes := self._parameters.weights_port_bits // 8:
            moved = self.weights_bus.r.valid & self.weights_bus.r.ready
            bytes_read = bytes_read + Mux(moved, port_bytes, 0)
        m.d.comb += [
            counters.clear.eq(self._control.clear),
            counters.count.eq(self._control.counting),
            counters.snapshot.eq(self.snapshot),
            counters.bytes_read.eq(bytes_read),
            counters.bytes_written.eq(_ones(strobes)),
            counters.profile_index.eq(csr.port(registers.PROFILE_INDEX)),
            csr.port(registers.PROFILE_COUNT).eq(counters.profile_count),
            csr.port(registers.PROFILE_DATA).eq(counters.profile_data),
            *(
                csr.port(register).eq(counters.values[place])
                for place, register in enumerate(registers.counter_registers(self._parameters.counters))
            ),
        ]


def _ones(bits: Signal) -> Any:
    """How many of the bits are set: eight by eight, then as a tree."""
    counts = [sum(bits[low + bit] for bit in range(8)) for low in range(0, len(bits), 8)]
    while len(counts) > 1:
        counts = [low + high for low, high in zip(counts[::2], counts[1::2], strict=True)]
    return counts[0]
