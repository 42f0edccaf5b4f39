"""How many of the array's multipliers do what the network asks for, in each cycle and in all of a COMPUTE."""

from collections.abc import Mapping

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..chassis.tiles.commands import Mode
from ..chassis.tiles.planes import passes_of
from ..chassis.tiles.tiling import reads_weights
from .config import SystolicConfig


def useful_macs(fields: Mapping[str, int], config: SystolicConfig) -> int:
    """Of a COMPUTE with these fields."""
    if not reads_weights(Mode(fields["mode"])):
        return 0
    block_cores = 1 << fields["block_cores_log2"]
    groups = -(-fields["output_blocks"] // block_cores)
    columns = (groups - 1) * block_cores * config.core_outputs + fields["columns_used"]
    rows = (fields["channel_bricks"] - 1) * config.rows + fields["rows_used"]
    kernel = fields["kernel_height"] * fields["kernel_width"] * len(passes_of(fields))
    return fields["height"] * fields["width"] * kernel * rows * columns


class UsefulMacs(wiring.Component):
    """Follows the steps of a COMPUTE: rows in use of its channel brick times columns in use of its block group.

    All but the last brick use every row, all but the last block group all columns of their cores; the command says what
    the last ones use. No multiplier: the products of a command are there before its first step, made of shifted sums.

    Members:
        command: held from `start` to completion.
        start: of the command.
        step_starts: a step starts, whose first read comes a cycle later.
        step_ends_blocks: it is the last of its block group.
        reading: the array gets a brick in this cycle.
        amount: useful products of this cycle.
    """

    command: data.View
    start: Signal
    step_starts: Signal
    step_ends_blocks: Signal
    reading: Signal
    amount: Signal

    def __init__(self, config: SystolicConfig) -> None:
        self._config = config
        super().__init__(
            {
                "command": In(config.compute.struct()),
                "start": In(1),
                "step_starts": In(1),
                "step_ends_blocks": In(1),
                "reading": In(1),
                "amount": Out(range(config.peak_macs + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Count bricks and block groups; a step keeps the product that it has in each of its reads."""
        m = Module()
        command = self.command
        block_cores = Signal(range(self._config.cores + 1))
        bricks_left = Signal.like(command.channel_bricks)
        blocks_left = Signal.like(command.output_blocks)
        in_last_brick, in_last_group = Signal(), Signal()
        m.d.comb += [
            block_cores.eq(1 << command.block_cores_log2),
            in_last_brick.eq(bricks_left == 1),
            in_last_group.eq(blocks_left <= block_cores),
        ]
        last_pass = self._last_pass(m)
        all_columns, columns_used = Signal.like(self.amount), Signal.like(self.amount)
        product = Signal.like(self.amount)
        self._products(m, in_last_brick, all_columns, columns_used)
        with m.If(self.start):
            m.d.sync += [bricks_left.eq(command.channel_bricks), blocks_left.eq(command.output_blocks)]
        with m.Elif(self.step_starts):
            m.d.sync += [
                product.eq(Mux(in_last_group, columns_used, all_columns)),
            ]
            with m.If(last_pass):
                m.d.sync += bricks_left.eq(Mux(in_last_brick, command.channel_bricks, bricks_left - 1))
            with m.If(self.step_ends_blocks):
                m.d.sync += blocks_left.eq(blocks_left - block_cores)
        m.d.comb += self.amount.eq(Mux(self.reading, product, 0))
        return m

    def _last_pass(self, m: Module) -> Value:
        """Whether the step that starts is its brick's last."""
        if not self._config.int16:
            return Const(1)
        number, last = Signal(2), Signal(2)
        splits = self.command.ifm_int16, self.command.weights_int16
        m.d.comb += last.eq(Cat(splits[0] | splits[1], splits[0] & splits[1]))
        with m.If(self.start):
            m.d.sync += number.eq(0)
        with m.Elif(self.step_starts):
            m.d.sync += number.eq(Mux(number == last, 0, number + 1))
        return number == last

    def _products(self, m: Module, in_last_brick: Value, all_columns: Signal, columns_used: Signal) -> None:
        """The step's rows times all columns of the cores, and times those that count in the last block group."""
        config, command = self._config, self.command
        rows = command.rows_used[: config.rows.bit_length()]
        columns = command.columns_used[: config.columns.bit_length()]
        few_rows = Signal.like(self.amount)
        few_both = Signal.like(self.amount)
        parts = [Mux(bit, columns << place, 0) for place, bit in enumerate(rows)]
        while len(parts) > 1:
            sums = []
            for low in range(0, len(parts), 2):
                total = Signal.like(self.amount, name=f"sum_{len(parts)}_{low}")
                m.d.sync += total.eq(sum(parts[low : low + 2]))
                sums.append(total)
            parts = sums
        m.d.comb += few_both.eq(parts[0])
        shift = command.block_cores_log2
        m.d.comb += few_rows.eq(rows * config.core_outputs << shift)
        m.d.comb += [
            all_columns.eq(Mux(in_last_brick, few_rows, (config.rows * config.core_outputs) << shift)),
            columns_used.eq(Mux(in_last_brick, few_both, columns * config.rows)),
        ]
