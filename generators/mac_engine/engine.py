"""The MAC engine: the chassis around its compute core."""

from amaranth.hdl import DomainRenamer, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ...hdl.axi import AxiBus, AxiLiteBus, AxiLiteSignature, AxiSignature
from ...hdl.brick_buffer import BrickBuffer
from ..chassis.counters import Cause
from ..chassis.register_map import ADDRESS_BITS
from ..chassis.run_control import RUN_DOMAIN
from ..chassis.shell import Chassis, ChassisParameters
from ..chassis.tiles.activate import ActivateUnit
from .compute import ComputeUnit
from .config import MacEngineConfig
from .isa import ACTIVATE, BRICK_CHANNELS, COMPUTE, WEIGHTS, Destination
from .weight_decoder import WeightDecoder, decoder_beats
from .weight_store import WeightStore


def destination_depths(config: MacEngineConfig) -> tuple[int, ...]:
    """64-bit beats of each destination of WEIGHTS, in the order of `Destination`."""
    depths = {
        Destination.WEIGHT_STORE: 2 * config.weight_words,
        Destination.PARAMETER_STORE: config.parameter_beats,
        Destination.OPERAND_TABLE: 256,
        Destination.ACTIVATION_TABLE: 32,
        Destination.EXPONENTIAL_TABLE: 128,
    }
    return tuple(depths[destination] for destination in Destination)


def chassis_parameters(config: MacEngineConfig) -> ChassisParameters:
    """What the chassis needs to know of this engine."""
    return ChassisParameters(
        family_id=config.family_id,
        configuration_hash=config.hash,
        macs=config.macs,
        buffer_bytes=config.buffer_bricks * BRICK_CHANNELS,
        weights=WEIGHTS,
        compute=COMPUTE,
        activate=ACTIVATE,
        destination_depths=destination_depths(config),
        decoder_beats=decoder_beats(config),
        queue_depth=config.queue_depth,
        burst_beats=config.burst_beats,
        outstanding_reads=config.outstanding_reads,
        address_bits=config.address_bits,
        profile_entries=config.profile_entries,
    )


class MacEngine(wiring.Component):
    """Chassis, unified buffer, weight store, COMPUTE and ACTIVATE.

        LOAD ----> buffer ----> COMPUTE ----> accumulators ----> ACTIVATE ----> buffer ----> STORE
        WEIGHTS (-> decoder) -> weight store ---^             WEIGHTS -> parameters ---^

    Members:
        csr: AXI4-Lite slave with the registers of `chassis.register_map`.
        bus: AXI4 master.
        interrupt: level.
    """

    csr: AxiLiteBus
    bus: AxiBus
    interrupt: Signal

    def __init__(self, config: MacEngineConfig) -> None:
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
        m.submodules.chassis = chassis = Chassis(chassis_parameters(self._config))
        restart = DomainRenamer(RUN_DOMAIN)
        buffer = BrickBuffer(self._config.buffer_bricks)
        weight_store = WeightStore(self._config)
        decoder = WeightDecoder(self._config)
        compute = ComputeUnit(self._config)
        activate = ActivateUnit(self._config)
        m.submodules.buffer = restart(buffer)
        m.submodules.weight_store = restart(weight_store)
        m.submodules.decoder = restart(decoder)
        m.submodules.compute = restart(compute)
        m.submodules.activate = restart(activate)

        connect(m, flipped(self.csr), chassis.csr)
        connect(m, chassis.bus, flipped(self.bus))
        connect(m, chassis.compute, compute.command)
        connect(m, chassis.activate, activate.command)
        connect(m, chassis.load_bricks, buffer.load_write)
        connect(m, chassis.store_request, buffer.store_request)
        connect(m, buffer.store_response, chassis.store_response)
        connect(m, compute.gather, buffer.gather)
        connect(m, compute.weights, weight_store.reads)
        connect(m, chassis.decoder, decoder.port)
        connect(m, decoder.words, weight_store.decoded)
        connect(m, compute.accumulators, activate.accumulators)
        connect(m, activate.results, buffer.activate_write)
        for memory in (weight_store.writes, compute.table_writes, activate.weights):
            connect(m, chassis.destination_write, memory)
        m.d.comb += [
            self.interrupt.eq(chassis.interrupt),
            chassis.cause.eq(compute.cause),
            chassis.progress.eq((compute.cause == Cause.ACTIVE) | activate.progress | decoder.words.valid),
            chassis.snapshot.eq(activate.snapshot),
        ]
        return m
