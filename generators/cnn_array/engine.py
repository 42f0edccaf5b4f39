"""The CNN array: the chassis around it."""

from amaranth.hdl import Cat, DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...hdl.axi import AxiBus, AxiLiteBus, AxiLiteSignature, AxiSignature
from ...hdl.wide_brick_buffer import WideBrickBuffer
from ..chassis.counters import Cause
from ..chassis.destination_port import BEAT_BITS, narrow_write
from ..chassis.register_map import ADDRESS_BITS
from ..chassis.run_control import RUN_DOMAIN
from ..chassis.shell import Chassis, ChassisParameters
from ..chassis.tiles.activate import ActivateUnit
from ..chassis.tiles.commands import Destination
from .compute import ComputeUnit
from .config import CnnArrayConfig
from .isa import ACTIVATE, WEIGHTS


def destination_depths(config: CnnArrayConfig) -> tuple[int, ...]:
    """Beats of each destination of WEIGHTS; there is no table for SOFTMAX."""
    depths = {
        Destination.WEIGHT_STORE: config.weight_words * config.weight_word_bytes * 8 // config.data_bits,
        Destination.PARAMETER_STORE: config.parameter_beats,
        Destination.OPERAND_TABLE: 256,
        Destination.ACTIVATION_TABLE: 32,
    }
    return tuple(depths.values())


def chassis_parameters(config: CnnArrayConfig) -> ChassisParameters:
    """What the chassis needs to know of this engine."""
    return ChassisParameters(
        family_id=config.family_id,
        configuration_hash=config.hash,
        macs=config.peak_macs,
        buffer_bytes=config.buffer_kib * 1024,
        weights=WEIGHTS,
        compute=config.compute,
        activate=ACTIVATE,
        destination_depths=destination_depths(config),
        decoder_beats=config.burst_beats,  # which nobody decodes
        queue_depth=config.queue_depth,
        burst_beats=config.burst_beats,
        outstanding_reads=config.outstanding_reads,
        address_bits=config.address_bits,
        profile_entries=config.profile_entries,
        brick_pieces=config.brick_bytes * 8 // config.data_bits,
        data_bits=config.data_bits,
        destination_bits=config.data_bits,
    )


class CnnArrayEngine(wiring.Component):
    """Chassis, unified buffer, COMPUTE and ACTIVATE, which carries finished outputs back to the buffer's banks.

        LOAD ----> buffer ----> array ----> partial sums ----> ACTIVATE ----> buffer ----> STORE
        WEIGHTS -> kernel buffers ^        WEIGHTS -> parameters ---^

    Members:
        csr: AXI4-Lite slave with the registers of `chassis.register_map`.
        bus: AXI4 master.
        interrupt: level.
    """

    csr: AxiLiteBus
    bus: AxiBus
    interrupt: Signal

    def __init__(self, config: CnnArrayConfig) -> None:
        self._config = config
        super().__init__(
            {
                "csr": In(AxiLiteSignature(ADDRESS_BITS)),
                "bus": Out(AxiSignature(config.address_bits, config.data_bits)),
                "interrupt": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The core restarts with every run, as the chassis does."""
        m = Module()
        config = self._config
        m.submodules.chassis = chassis = Chassis(chassis_parameters(config))
        restart = DomainRenamer(RUN_DOMAIN)
        buffer = WideBrickBuffer(
            config.buffer_bricks,
            config.brick_bytes * 8 // BEAT_BITS,
            config.element_bytes,
            moved=config.data_bits // BEAT_BITS,
            window=config.taps,
            neighbour_bits=8 * config.element_bytes * config.neighbour_channels,
        )
        compute = ComputeUnit(config)
        activate = ActivateUnit(config)
        m.submodules.buffer = restart(buffer)
        m.submodules.compute = restart(compute)
        m.submodules.activate = restart(activate)

        connect(m, flipped(self.csr), chassis.csr)
        connect(m, chassis.bus, flipped(self.bus))
        connect(m, chassis.compute, compute.command)
        connect(m, chassis.activate, activate.command)
        connect(m, chassis.load_bricks, buffer.load_write)
        connect(m, chassis.store_request, buffer.store_request)
        connect(m, buffer.store_response, chassis.store_response)
        connect(m, compute.accumulators, activate.accumulators)
        connect(m, chassis.destination_write, compute.writes)
        narrow_write(m, chassis.destination_write, activate.weights)
        if config.taps > 1:
            m.d.comb += [
                buffer.read_count.eq(compute.brick_count),
                compute.neighbours.eq(buffer.neighbours),
            ]
        address = activate.results.address
        m.d.comb += [
            buffer.read_enable.eq(compute.brick_enable),
            buffer.read_address.eq(compute.brick_address),
            compute.brick.eq(buffer.read_data),
            buffer.activate_enable.eq(activate.results.enable),
            buffer.activate_write.address.eq(
                Cat(activate.piece, address) if config.brick_pieces > 1 else address
            ),
            buffer.activate_write.data.eq(activate.results.data),
            self.interrupt.eq(chassis.interrupt),
            chassis.cause.eq(compute.cause),
            chassis.progress.eq((compute.cause == Cause.ACTIVE) | activate.progress),
            chassis.snapshot.eq(activate.snapshot),
        ]
        return m
