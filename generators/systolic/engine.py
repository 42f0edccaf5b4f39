"""The systolic engine: the chassis around its array."""

from amaranth.hdl import Cat, DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...hdl.axi import AxiBus, AxiLiteBus, AxiLiteSignature, AxiReadBus, AxiReadSignature, AxiSignature
from ...hdl.wide_brick_buffer import WideBrickBuffer
from ..chassis.counters import Cause
from ..chassis.register_map import ADDRESS_BITS
from ..chassis.run_control import RUN_DOMAIN
from ..chassis.shell import Chassis, ChassisParameters
from ..chassis.tiles.activate import ActivateUnit
from ..chassis.tiles.commands import Destination
from .compute import ComputeUnit
from .config import SystolicConfig
from .counters import COUNTERS, VECTOR_CAUSE
from .isa import ACTIVATE, COMPUTE, WEIGHTS


def destination_depths(config: SystolicConfig) -> tuple[int, ...]:
    """Places of each destination of WEIGHTS; the weight FIFO has no addresses, and there is no table for SOFTMAX."""
    depths = {
        Destination.WEIGHT_STORE: 1,
        Destination.PARAMETER_STORE: config.parameter_beats,
        Destination.OPERAND_TABLE: 256,
        Destination.ACTIVATION_TABLE: 32,
    }
    return tuple(depths.values())


def chassis_parameters(config: SystolicConfig) -> ChassisParameters:
    """What the chassis needs to know of this engine."""
    return ChassisParameters(
        family_id=config.family_id,
        configuration_hash=config.hash,
        macs=config.peak_macs,
        buffer_bytes=config.buffer_kib * 1024,
        weights=WEIGHTS,
        compute=COMPUTE,
        activate=ACTIVATE,
        destination_depths=destination_depths(config),
        decoder_beats=config.fifo_beats,
        queue_depth=config.queue_depth,
        burst_beats=config.burst_beats,
        outstanding_reads=config.outstanding_reads,
        address_bits=config.address_bits,
        profile_entries=config.profile_entries,
        brick_pieces=config.brick_pieces,
        counters=COUNTERS,
        weights_port_bits=config.weights_port_bits,
        weights_freed_beats=config.row_beats,
    )


class SystolicEngine(wiring.Component):
    """Chassis, unified buffer, COMPUTE and ACTIVATE.

        LOAD ----> buffer ----> array ----> accumulators ----> ACTIVATE ----> buffer ----> STORE
        WEIGHTS -> weight FIFO ---^       WEIGHTS -> parameters ---^

    Members:
        csr: AXI4-Lite slave with the registers of `chassis.register_map`.
        bus: AXI4 master.
        weights_bus: AXI4 master that only reads, for WEIGHTS.
        interrupt: level.
    """

    csr: AxiLiteBus
    bus: AxiBus
    weights_bus: AxiReadBus
    interrupt: Signal

    def __init__(self, config: SystolicConfig) -> None:
        self._config = config
        super().__init__(
            {
                "csr": In(AxiLiteSignature(ADDRESS_BITS)),
                "bus": Out(AxiSignature(config.address_bits, config.data_bits)),
                "weights_bus": Out(AxiReadSignature(config.address_bits, config.weights_port_bits)),
                "interrupt": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """The core restarts with every run, as the chassis does."""
        m = Module()
        config = self._config
        m.submodules.chassis = chassis = Chassis(chassis_parameters(config))
        restart = DomainRenamer(RUN_DOMAIN)
        buffer = WideBrickBuffer(config.buffer_bricks, config.brick_pieces)
        compute = ComputeUnit(config)
        activate = ActivateUnit(config)
        m.submodules.buffer = restart(buffer)
        m.submodules.compute = restart(compute)
        m.submodules.activate = restart(activate)

        connect(m, flipped(self.csr), chassis.csr)
        connect(m, chassis.bus, flipped(self.bus))
        connect(m, chassis.weights_bus, flipped(self.weights_bus))
        connect(m, chassis.compute, compute.command)
        connect(m, chassis.activate, activate.command)
        connect(m, chassis.load_bricks, buffer.load_write)
        connect(m, chassis.store_request, buffer.store_request)
        connect(m, buffer.store_response, chassis.store_response)
        connect(m, chassis.decoder, compute.weights)
        connect(m, compute.accumulators, activate.accumulators)
        for memory in (compute.table_writes, activate.weights):
            connect(m, chassis.destination_write, memory)
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
            chassis.amounts.useful_macs.eq(compute.useful_macs),
            chassis.progress.eq(
                (compute.cause == Cause.ACTIVE) | (compute.cause == VECTOR_CAUSE) | activate.progress
            ),
            chassis.snapshot.eq(activate.snapshot),
        ]
        return m
