"""The output stage: from the accumulators to int8 bricks in the unified buffer."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from ....hdl.brick_buffer import HalfBrickWritePort
from ....hdl.fixed_point_round import ROUND_LATENCY, FixedPointRound
from ....hdl.requantize import REQUANTIZE_LATENCY, Requantize
from ..destination_port import destination_write_signature
from .accumulator_port import ACCUMULATOR_READ_LATENCY, AccumulatorPort
from .activation_table import TABLE_LATENCY, ActivationTable, lanes_layout
from .commands import BRICK_CHANNELS
from .delay_line import delayed
from .drain_sequencer import DrainSequencer, brick_parts, element_layout
from .parameter_store import ParameterStore
from .softmax_unit import SoftmaxUnit
from .tile_config import TileConfig
from .wide_results import WideResults

WRITE_LATENCY = ACCUMULATOR_READ_LATENCY + REQUANTIZE_LATENCY + TABLE_LATENCY
"""Cycles from the read of an accumulator to the write of its result."""


class ActivateUnit(wiring.Component):
    """Drains accumulator tiles in the order of the loop nest, requantizes, and writes bricks; `lanes` results a cycle.

    A command presented in cycle t reads its first accumulators in cycle t + 12 at the earliest (its first
    parameter block, 9 beats, has to come), then some in every cycle in which the tile is filled and the block's
    parameters are there. What is read in cycle t is written in cycle t + `WRITE_LATENCY`, in which the last
    write takes the command (`ready`). `activate_timing.ActivateTiming` tells every cycle exactly.

    With `softmax_lanes` the results go to a `SoftmaxUnit` instead, which writes once it has them all.

    Cost: 4 multipliers of 18 x 18 bits a lane; block RAM for the parameter ring, the activation table and SOFTMAX.

    Members:
        command: taken with its last write.
        weights: WEIGHTS' port, for the parameter store and the tables.
        accumulators: what COMPUTE has filled.
        results: writes into the unified buffer; a lane's worth is a half brick with four lanes.
        piece: of the brick, to which they go; there only if it has several.
        progress: something is written, or will be in cycles that are already certain.
        snapshot: high for the cycle in which a command that asks for a snapshot is taken.
    """

    command: stream.Interface
    weights: stream.Interface
    accumulators: Any
    results: Any
    piece: Signal
    progress: Signal
    snapshot: Signal

    def __init__(self, config: TileConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(stream.Signature(config.activate.struct())),
                "weights": In(destination_write_signature()),
                "accumulators": In(AccumulatorPort(config)),
                "results": Out(HalfBrickWritePort(8 * BRICK_CHANNELS * config.element_bytes)),
                **({"piece": Out(range(config.brick_pieces))} if config.brick_pieces > 1 else {}),
                "progress": Out(1),
                "snapshot": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Sequencer and parameters, `lanes` requantizers, table, SOFTMAX, write."""
        m = Module()
        config = self._config
        self._is_wide = Signal()
        command = self.command.payload
        m.submodules.sequencer = sequencer = DrainSequencer(config)
        m.submodules.parameters = parameters = ParameterStore(config)
        connect(m, flipped(self.weights), parameters.writes)

        # Parameters are asked for at once, reads a cycle later, when the sequencer has its constants.
        running = Signal()
        starting = Signal()
        m.d.sync += sequencer.start.eq(starting)
        m.d.comb += starting.eq(self.command.valid & ~running)
        with m.If(starting):
            m.d.sync += running.eq(1)
        with m.If(self.command.ready):
            m.d.sync += running.eq(0)

        blocks = command.output_blocks
        m.d.comb += [
            parameters.start.eq(starting),
            parameters.command.address.eq(command.parameter_address),
            parameters.command.blocks.eq(blocks if config.core_outputs == 8 else (blocks + 1) >> 1),
            parameters.command.group_last.eq((1 << command.block_cores_log2) - 1),
            parameters.command.uniform.eq(command.parameter_uniform),
            parameters.command.uniform_scale.eq(command.uniform_scale),
            parameters.block.eq(sequencer.block),
            parameters.part.eq(sequencer.part),
            parameters.release.eq(sequencer.release),
            sequencer.command.eq(command),
            sequencer.available.eq(parameters.available),
            sequencer.filled.eq(self.accumulators.filled),
            self.accumulators.drained.eq(sequencer.drained),
            self.accumulators.freeing.eq(sequencer.freeing),
            self.accumulators.core.eq(sequencer.core),
            self.accumulators.address.eq(sequencer.address),
        ]
        if config.element_bits != 8:
            self._write(m, self._rounded(m, sequencer.elements, parameters.parameters))
            return m
        m.submodules.table = table = ActivationTable(config.lanes, element_layout(config))
        m.d.comb += [
            table.writes.valid.eq(self.weights.valid),
            table.writes.payload.eq(self.weights.payload),
            table.enable.eq(command.use_table),
        ]
        if config.splits_int16:
            wide = self._wide(m, sequencer.elements, parameters.parameters)
            self._requantizers(m, sequencer.elements, parameters.parameters, table, None)
            self._write(m, table.results)
            self._write_wide(m, wide)
            return m
        softmax = None
        if config.has_softmax:
            m.submodules.softmax = softmax = SoftmaxUnit(config)
        self._requantizers(m, sequencer.elements, parameters.parameters, table, softmax)
        if softmax is None:
            self._write(m, table.results)
        else:
            self._writes(m, table, softmax)
        return m

    def _write(self, m: Module, results: stream.Interface) -> None:
        """Results go to the buffer; the last of them takes the command."""
        command, config = self.command.payload, self._config
        written = results.payload
        m.d.comb += [
            self.progress.eq(results.valid),
            self.snapshot.eq(self.command.ready & command.snapshot),
            self.results.enable.eq(results.valid),
            self.results.address.eq(written.metadata.address),
            self.results.data.eq(written["values"].as_value().replicate(brick_parts(config))),
            self.results.halves.eq(_halves(written, config)),
            self.command.ready.eq(results.valid & written.metadata.last),
        ]
        if config.brick_pieces > 1:
            m.d.comb += self.piece.eq(written.metadata.piece)

    def _wide(self, m: Module, elements: stream.Interface, parameters: data.View) -> WideResults:
        """The output stage of 16-bit operands beside that of int8; each element goes to one of them."""
        config = self._config
        m.submodules.wide = wide = WideResults(config)
        m.d.sync += self._is_wide.eq(self.command.payload.places != 0)
        m.d.comb += [
            wide.command.eq(self.command.payload),
            wide.elements.valid.eq(elements.valid & self._is_wide),
            wide.elements.payload.eq(elements.payload),
            wide.parameters.eq(parameters),
        ]
        m.d.comb += [wide.values[lane].eq(self.accumulators.values[lane]) for lane in range(config.lanes)]
        return wide

    def _write_wide(self, m: Module, wide: WideResults) -> None:
        """Its results go to the buffer instead."""
        with m.If(self._is_wide):
            m.d.comb += [
                self.progress.eq(wide.results.enable),
                self.results.enable.eq(wide.results.enable),
                self.results.address.eq(wide.results.address),
                self.results.data.eq(wide.results.data),
                self.command.ready.eq(wide.last),
            ]
            if self._config.brick_pieces > 1:
                m.d.comb += self.piece.eq(wide.piece)

    def _writes(self, m: Module, table: ActivationTable, softmax: SoftmaxUnit) -> None:
        """The table's results go to the buffer, or through SOFTMAX, which takes the command with its last write."""
        config = self._config
        command = self.command.payload
        written = table.results.payload
        is_softmax = Signal()
        m.d.sync += is_softmax.eq(command.softmax_lanes != 0)
        bricks = command.output_blocks if config.core_outputs == 8 else (command.output_blocks + 1) >> 1
        m.d.sync += softmax.bricks_last.eq(bricks - 1)
        m.d.comb += [
            softmax.writes.valid.eq(self.weights.valid),
            softmax.writes.payload.eq(self.weights.payload),
            softmax.values.valid.eq(table.results.valid & is_softmax),
            softmax.values.payload.eq(written),
            softmax.lanes.eq(command.softmax_lanes),
            softmax.channel_pitch.eq(command.ofm_channel_pitch),
            self.progress.eq(table.results.valid | softmax.busy),
            self.snapshot.eq(self.command.ready & command.snapshot),
        ]
        with m.If(is_softmax):
            m.d.comb += [
                self.results.enable.eq(softmax.results.enable),
                self.results.address.eq(softmax.results.address),
                self.results.data.eq(softmax.results.data),
                self.results.halves.eq(softmax.results.halves),
                self.command.ready.eq(softmax.done),
            ]
        with m.Else():
            m.d.comb += [
                self.results.enable.eq(table.results.valid),
                self.results.address.eq(written.metadata.address),
                self.results.data.eq(written["values"].as_value().replicate(brick_parts(config))),
                self.results.halves.eq(_halves(written, config)),
                self.command.ready.eq(table.results.valid & written.metadata.last),
            ]

    def _rounded(self, m: Module, elements: stream.Interface, parameters: data.View) -> stream.Interface:
        """One rounding a lane, as late as requantization and table are; values as wide as they are stored."""
        config, command = self._config, self.command.payload
        layout = lanes_layout(config.lanes, element_layout(config), 8 * config.element_bytes)
        stage, results = Signal(layout), stream.Signature(layout, always_ready=True).create()
        valid = Signal()
        for lane in range(config.lanes):
            metadata = element_layout(config) if lane == 0 else unsigned(1)
            m.submodules[f"round_{lane}"] = rounding = FixedPointRound(
                config.element_bits, config.sum_bits, metadata
            )
            given = rounding.accumulators.payload
            m.d.comb += [
                rounding.accumulators.valid.eq(elements.valid),
                given.accumulator.eq(self.accumulators.values[lane]),
                given.bias.eq(parameters[lane].bias + (parameters[lane].multiplier[:16] << 32)),
                given.shift.eq(-parameters[lane].shift),
                rounding.to_even.eq(command.to_even),
                rounding.minimum.eq(command.minimum),
                rounding.maximum.eq(command.maximum),
                stage["values"][lane].eq(rounding.results.payload.value),
            ]
            if lane == 0:
                m.d.comb += [
                    given.metadata.eq(elements.payload),
                    stage.metadata.eq(rounding.results.payload.metadata),
                    valid.eq(rounding.results.valid),
                ]
        wait = REQUANTIZE_LATENCY + TABLE_LATENCY - ROUND_LATENCY
        m.d.comb += [
            results.payload.eq(delayed(m, stage, wait, "rounded")),
            results.valid.eq(delayed(m, valid, wait, "rounded_valid")),
        ]
        return results

    def _requantizers(
        self,
        m: Module,
        elements: stream.Interface,
        parameters: data.View,
        table: ActivationTable,
        softmax: SoftmaxUnit | None,
    ) -> None:
        """One requantizer a lane, all in step; the first carries the element and multiplies for SOFTMAX."""
        config = self._config
        command = self.command.payload
        element = elements.payload
        given_valid = elements.valid & ~self._is_wide if config.splits_int16 else elements.valid
        values = [self.accumulators.values[output] for output in range(config.core_outputs)]
        for lane in range(config.lanes):
            # Only the first lane carries anything; one bit for the others, since Verilog has no vectors of none.
            metadata = element_layout(config) if lane == 0 else unsigned(1)
            m.submodules[f"requantize_{lane}"] = requantize = Requantize(metadata)
            given = requantize.accumulators.payload
            value = values[lane]
            if config.core_outputs > config.lanes:
                value = Mux(element.part, values[lane + config.lanes], values[lane])
            m.d.comb += [
                requantize.accumulators.valid.eq(given_valid),
                given.accumulator.eq(value),
                given.bias.eq(parameters[lane].bias),
                given.multiplier.eq(parameters[lane].multiplier),
                given.shift.eq(parameters[lane].shift),
                requantize.zero_point.eq(command.zero_point),
                requantize.minimum.eq(command.minimum),
                requantize.maximum.eq(command.maximum),
                table.values.payload["values"][lane].eq(requantize.results.payload.value),
            ]
            if lane == 0:
                m.d.comb += given.metadata.eq(element)
                if softmax is not None:
                    m.d.comb += softmax.scaled.eq(requantize.scaled)
                m.d.comb += [
                    table.values.valid.eq(requantize.results.valid),
                    table.values.payload.metadata.eq(requantize.results.payload.metadata),
                ]
            if lane == 0 and softmax is not None:
                with m.If(softmax.busy):
                    m.d.comb += [
                        given.accumulator.eq(softmax.product.factor),
                        given.bias.eq(0),
                        given.multiplier.eq(softmax.product.multiplier),
                        given.shift.eq(softmax.product.shift),
                    ]


def _halves(written: data.View, config: TileConfig) -> Value | int:
    """Which half of eight channels is written."""
    return Mux(written.metadata.part, 0b10, 0b01) if brick_parts(config) == 2 else 0b11
