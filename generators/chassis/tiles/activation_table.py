"""A table in place of an activation function: int8 to int8."""

from typing import Any

from amaranth.hdl import Array, Cat, Module, ShapeLike, Signal, signed
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..destination_port import destination_write_signature
from .commands import Destination

TABLE_LATENCY = 3
"""Cycles from `values` to `results`: the row of the table, its register, the byte in it."""

_ROWS = 32
_BYTES = 8
_BLOCK_RAM: dict[str, Any] = {"ram_style": "block", "no_rw_check": 1}


def lanes_layout(lanes: int, metadata: ShapeLike, bits: int = 8) -> data.StructLayout:
    """`lanes` values that go together, and what rides along."""
    return data.StructLayout({"values": data.ArrayLayout(signed(bits), lanes), "metadata": metadata})


class ActivationTable(wiring.Component):
    """Replaces every value by its entry of one 256 x int8 table, or lets it pass; all lanes every cycle.

    Latency `TABLE_LATENCY` cycles with and without the table; no back-pressure. Contents are never reset.

    Cost: a memory of 32 rows x 64 bits for each lane (two ECP5 block RAMs), because every lane reads its own row
    while WEIGHTS writes eight entries a cycle.

    Args:
        lanes: values in a cycle.
        metadata: shape of what rides along.

    Members:
        writes: WEIGHTS' port; beats for `Destination.ACTIVATION_TABLE` hold entries 8*address .. 8*address + 7,
            lowest byte first; the entry of value v is v + 128.
        values: lanes in.
        results: lanes out.
        enable: use the table; hold it while results are on their way.
    """

    writes: stream.Interface
    values: stream.Interface
    results: stream.Interface
    enable: Signal

    def __init__(self, lanes: int, metadata: ShapeLike) -> None:
        if lanes < 1:
            raise ValueError(f"lanes must be at least 1, not {lanes}")
        self._lanes = lanes
        lanes_stream = stream.Signature(lanes_layout(lanes, metadata), always_ready=True)
        super().__init__(
            {
                "writes": In(destination_write_signature()),
                "values": In(lanes_stream),
                "results": Out(lanes_stream),
                "enable": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """One memory a lane; the number in a signal's name is the stage that registers it."""
        m = Module()
        values_2 = Signal.like(self.values.payload, reset_less=True)
        results_3 = Signal.like(self.results.payload, reset_less=True)
        valids = Signal(TABLE_LATENCY)
        m.d.sync += valids.eq(Cat(self.values.valid, valids))
        values_1 = Signal.like(self.values.payload, reset_less=True)
        m.d.sync += [
            values_1.eq(self.values.payload),
            values_2.eq(values_1),
            results_3.metadata.eq(values_2.metadata),
        ]
        m.d.comb += [self.results.valid.eq(valids[-1]), self.results.payload.eq(results_3)]

        beat = self.writes.payload
        write_enable = self.writes.valid & (beat.destination == Destination.ACTIVATION_TABLE)
        for lane in range(self._lanes):
            # Nothing reads the table while WEIGHTS writes it: tokens keep them apart.
            m.submodules[f"table_{lane}"] = table = Memory(
                shape=8 * _BYTES, depth=_ROWS, init=[], attrs=_BLOCK_RAM
            )
            write = table.write_port()
            read = table.read_port()
            value = self.values.payload["values"][lane]
            value_2 = values_2["values"][lane]
            row_2 = Signal(8 * _BYTES, reset_less=True)
            m.d.comb += [
                write.en.eq(write_enable),
                write.addr.eq(beat.address),
                write.data.eq(beat.data),
                read.en.eq(1),
                read.addr.eq(Cat(value[3:7], ~value[7])),
            ]
            # A block RAM of ECP5 takes 5.6 ns to deliver: nothing but a register fits behind it.
            m.d.sync += [row_2.eq(read.data), results_3["values"][lane].eq(value_2)]
            with m.If(self.enable):
                entries = Array(row_2[8 * byte : 8 * (byte + 1)] for byte in range(_BYTES))
                m.d.sync += results_3["values"][lane].eq(entries[value_2[:3]])
        return m
