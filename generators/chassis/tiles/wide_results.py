"""ACTIVATE's output stage of layers with 16-bit operands: accumulators become sums, sums bytes in the buffer."""

from typing import Any

from amaranth.hdl import Cat, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ....hdl.arithmetic_model import REDUCED_MULTIPLIER_BITS, WIDE_SUM_BITS
from ....hdl.brick_buffer import HalfBrickWritePort
from ....hdl.wide_requantize import WIDE_REQUANTIZE_LATENCY, WideRequantize
from ..wide_scaling import RAW_BYTES
from .accumulator_port import ACCUMULATOR_READ_LATENCY
from .commands import BRICK_CHANNELS
from .drain_sequencer import element_layout
from .drain_turns import MOST_TURNS
from .parameter_store import channel_parameters
from .tile_config import TileConfig

WIDE_WRITE_LATENCY = ACCUMULATOR_READ_LATENCY + 1 + WIDE_REQUANTIZE_LATENCY + 1
"""Cycles from the read of a sum's last accumulator to the write of its result's highest byte."""

_BYTE_BITS = 8


class WideResults(wiring.Component):
    """Joins the accumulators of a sum, requantizes it in 48 bits, and writes the result's bytes, the highest first.

    A sum is ((first << 8) + second << 8) + third, of as many accumulators as it has. Its result goes out in one cycle
    for each byte, from `WIDE_WRITE_LATENCY` cycles after its last read on; sums are at least as many cycles apart.

    A channel's parameters lie where those of int8 do: the bias's lower 32 bits; in the multiplier's place the reduced
    multiplier and, from bit 15 on, the bias's upper 16 bits; in the shift's place the shift to the right, 0..38.

    Cost: three multipliers of 18 x 18 bits a lane.

    Members:
        command: held while results are on their way.
        elements: of every read that collects an accumulator.
        values: those, in step with their elements.
        parameters: of the channels, likewise.
        results: writes into the unified buffer.
        piece: of the brick, to which they go; there only if it has several.
        last: the command's last byte is written.
    """

    command: data.View
    elements: stream.Interface
    values: data.View
    parameters: data.View
    results: Any
    piece: Signal
    last: Signal

    def __init__(self, config: TileConfig) -> None:
        self._lanes = config.lanes
        self._pieces = config.brick_pieces
        self._element = element_layout(config)
        super().__init__(
            {
                "command": In(config.activate.struct()),
                "elements": In(stream.Signature(self._element, always_ready=True)),
                "values": In(data.ArrayLayout(signed(config.sum_bits), config.lanes)),
                "parameters": In(data.ArrayLayout(channel_parameters(), config.lanes)),
                "results": Out(HalfBrickWritePort(_BYTE_BITS * BRICK_CHANNELS)),
                **({"piece": Out(range(self._pieces))} if self._pieces > 1 else {}),
                "last": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Join, requantize, write."""
        m = Module()
        element = self.elements.payload
        sum_valid = Signal()
        sum_element = Signal(self._element, reset_less=True)
        parameters = Signal.like(self.parameters, reset_less=True)
        m.d.sync += [
            sum_valid.eq(self.elements.valid & element.last_place),
            sum_element.eq(element),
            parameters.eq(self.parameters),
        ]
        values: list[Value] = []
        result_valid, result_element = Signal(), Signal(self._element)
        for lane in range(self._lanes):
            total = Signal(signed(WIDE_SUM_BITS), name=f"total_{lane}", reset_less=True)
            before = Mux(element.first_place, 0, total << _BYTE_BITS)
            with m.If(self.elements.valid):
                m.d.sync += total.eq(before[:WIDE_SUM_BITS] + self.values[lane])
            # Only the first lane carries anything; one bit for the others, since Verilog has no vectors of none.
            metadata = self._element if lane == 0 else unsigned(1)
            m.submodules[f"requantize_{lane}"] = requantize = WideRequantize(metadata)
            given, own = requantize.sums.payload, parameters[lane]
            m.d.comb += [
                requantize.sums.valid.eq(sum_valid),
                given.sum.eq(total),
                given.bias.eq(Cat(own.bias, own.multiplier[REDUCED_MULTIPLIER_BITS:])),
                given.multiplier.eq(own.multiplier[:REDUCED_MULTIPLIER_BITS]),
                given.right_shift.eq(own.shift.as_unsigned()),
                requantize.is_raw.eq(self.command.ofm_bytes == RAW_BYTES),
                requantize.minimum.eq(self.command.minimum),
                requantize.maximum.eq(self.command.maximum),
            ]
            values.append(requantize.results.payload.value)
            if lane == 0:
                m.d.comb += [
                    given.metadata.eq(sum_element),
                    result_valid.eq(requantize.results.valid),
                    result_element.eq(requantize.results.payload.metadata),
                ]
        self._write(m, result_valid, result_element, values)
        return m

    def _write(self, m: Module, valid: Value, element: data.View, values: list[Value]) -> None:
        """The highest of the bytes left of every lane, which then makes room for the next."""
        command, results = self.command, self.results
        written = Signal(self._element)
        bytes_left = Signal(range(MOST_TURNS))
        m.d.comb += [
            results.address.eq(written.address),
            results.halves.eq(0b11),
            self.last.eq(results.enable & written.last & (bytes_left == 0)),
        ]
        if self._pieces > 1:
            m.d.comb += self.piece.eq(written.piece)
        tops = []
        for lane, value in enumerate(values):
            left = Signal(WIDE_SUM_BITS, name=f"left_{lane}", reset_less=True)
            tops.append(left[-_BYTE_BITS:])
            with m.If(valid):
                m.d.sync += left.eq(value)
                for count in (1, 2):
                    with m.If(command.ofm_bytes == count):
                        m.d.sync += left.eq(value << WIDE_SUM_BITS - _BYTE_BITS * count)
            with m.Else():
                m.d.sync += left.eq(left << _BYTE_BITS)
        m.d.comb += results.data.eq(Cat(tops))
        with m.If(valid):
            m.d.sync += [results.enable.eq(1), written.eq(element), bytes_left.eq(command.ofm_bytes - 1)]
        with m.Elif(bytes_left != 0):
            m.d.sync += [
                written.address.eq(written.address + command.ofm_plane_pitch),
                bytes_left.eq(bytes_left - 1),
            ]
        with m.Else():
            m.d.sync += results.enable.eq(0)
