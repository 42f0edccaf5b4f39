"""Turns records of `weight_code` into vectors, and tells the lengths of records to come."""

from collections.abc import Sequence

from amaranth.hdl import Array, Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .bit_window import CUT_BITS
from .isa import WEIGHTS
from .lane_expander import VECTOR_LAYOUT
from .weight_code import ESCAPES, MAXIMUM_PLANES, SKEW, VECTOR

ESCAPE_WINDOW_BITS = ESCAPES * 8
RECORD_WINDOW_BITS = VECTOR * MAXIMUM_PLANES + 1
VECTOR_STEPS = 4 * SKEW + 1
"""Steps after that of a vector's flag, the last of which moves the finished vector on."""

_REMAINDER_PLANES = 7
_COUNT_BITS = 5


def count_of_four(bits: Value) -> Value:
    """How many of four bits are set: each bit of the result is one LUT4, where a sum would be carry chains."""
    first, second, third, fourth = bits
    two = (first & second) | (third & fourth) | ((first | second) & (third | fourth))
    return Cat(bits.xor(), two & ~bits.all(), bits.all())


def population(bits: Value) -> Value:
    """How many of 16 bits are set."""
    quarters = [count_of_four(bits[low : low + 4]) for low in range(0, VECTOR, 4)]
    return ((quarters[0] + quarters[1]) + (quarters[2] + quarters[3]))[:_COUNT_BITS]


def counts_below(mask: Value) -> Value:
    """How many of the first 4, 8 and 12 of 16 bits are set: `_COUNT_BITS` each."""
    quarters = [count_of_four(mask[low : low + 4]) for low in range(0, 12, 4)]
    halves = quarters[0] + quarters[1]
    return Cat(count[:4] | Const(0, _COUNT_BITS) for count in (quarters[0], halves, halves + quarters[2]))


def ranks(mask: Value, below: Value) -> Value:
    """For each of 16 bits, how many of those below it are set: 4 bits each; `below` are `counts_below(mask)`."""
    result: list[Value] = []
    for low in range(0, VECTOR, 4):
        before = below.word_select(low // 4 - 1, _COUNT_BITS) if low else Const(0, 4)
        inside: Value = Const(0, 1)
        for index in range(low, low + 4):
            result.append((before + inside)[:4])
            inside = inside + mask[index]
    return Cat(result)


def spread(bits: Value, mask: Value, places: Value) -> Value:
    """The lowest bits of `bits`, one for each set bit of `mask`, in its places; `places` are `ranks(mask)`."""
    return Cat(
        mask[index] & (bits[: index + 1] >> places.word_select(index, 4))[0] for index in range(VECTOR)
    )


def escape_length(count: Value, escape_bits: Value, three_escapes: Value) -> Value:
    """Bits of up to four escapes of `escape_bits` each."""
    few = Mux(
        count[1],
        Mux(count[0], three_escapes, escape_bits << 1),
        Mux(count[0], escape_bits, 0),
    )
    return Mux(count[2:].any(), escape_bits << 2, few)


class VectorDecoder(wiring.Component):
    """Everything between the window on the stream and the vectors.

    `step` takes a record, `escape_step` up to four more escapes of the vector whose remainders came with
    the last record. What is held for later records moves with `step`.

    Timing: a record's length is known from the step before it. The vector whose flag came in step s is on `vectors`
    in the cycle after step s + VECTOR_STEPS.

    Members:
        command: held from `start` on.
        start: the next step takes the first record.
        step, escape_step: not both in one cycle.
        escape_window, escape_rest: the bits of the stream from the record (or its further escapes) on follow the lowest
            `escape_rest` of the window.
        record_window, record_rest: so do the bits from `early_bits` on.
        left: escapes; left_bits: the length of those of them that one step takes.
        early_bits: of the next record, the length of its first escapes.
        bits: of the next record, its length without further escapes.
        next_early_bits, next_other_bits: what `early_bits` and `bits - early_bits` become with `step`; registers.
        escapes: of the next record, escapes in all; next_escapes: what it becomes with `step`.
        vectors: `VECTOR_LAYOUT`, unsigned bytes.
    """

    command: data.View
    start: Signal
    step: Signal
    escape_step: Signal
    escape_window: Signal
    escape_rest: Signal
    record_window: Signal
    record_rest: Signal
    left: Signal
    left_bits: Signal
    early_bits: Signal
    bits: Signal
    next_early_bits: Signal
    next_other_bits: Signal
    escapes: Signal
    next_escapes: Signal
    vectors: stream.Interface

    def __init__(self) -> None:
        super().__init__(
            {
                "command": In(WEIGHTS.struct()),
                "start": In(1),
                "step": In(1),
                "escape_step": In(1),
                "escape_window": In(ESCAPE_WINDOW_BITS + CUT_BITS - 1),
                "escape_rest": In(range(CUT_BITS)),
                "record_window": In(RECORD_WINDOW_BITS + CUT_BITS - 1),
                "record_rest": In(range(CUT_BITS)),
                "left": In(range(VECTOR + 1)),
                "left_bits": Out(range(ESCAPE_WINDOW_BITS + 1)),
                "early_bits": Out(range(ESCAPE_WINDOW_BITS + 1)),
                "bits": Out(8),
                "next_early_bits": Out(range(ESCAPE_WINDOW_BITS + 1)),
                "next_other_bits": Out(range(VECTOR * MAXIMUM_PLANES + 2)),
                "escapes": Out(range(VECTOR + 1)),
                "next_escapes": Out(range(VECTOR + 1)),
                "vectors": Out(stream.Signature(VECTOR_LAYOUT, always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        """Three registers cut a record up; masks and counts follow, each plane `SKEW` steps after the one before."""
        m = Module()
        command, step = self.command, self.step
        remainder_bits = Signal.like(command.remainder_bits)
        has_second, has_third = Signal(), Signal()
        escape_bits, three_escapes = Signal(4), Signal(5)
        m.d.sync += [  # settled long before a vector needs them
            has_second.eq(command.unary_planes != 1),
            has_third.eq(command.unary_planes == 3),
            remainder_bits.eq(command.remainder_bits),
            escape_bits.eq(8 - command.remainder_bits),
            three_escapes.eq(escape_bits + (escape_bits << 1)),
        ]
        m.d.comb += self.left_bits.eq(escape_length(self.left, escape_bits, three_escapes))
        vectors_left = Signal.like(command.vectors)
        has_flag, has_first, has_remainder = Signal(), Signal(), Signal()
        second_bits, third_bits = Signal(_COUNT_BITS), Signal(_COUNT_BITS)

        # What the record holds, registered with it.
        window = Signal(len(self.record_window), reset_less=True)
        window_rest = Signal(range(CUT_BITS))
        is_live, held_flag, held_first, held_remainder = Signal(), Signal(), Signal(), Signal()
        skipped = Signal(3)  # planes of the remainder
        held_second, held_third = Signal(_COUNT_BITS), Signal(_COUNT_BITS)
        with m.If(step):
            m.d.sync += [
                window.eq(self.record_window),
                window_rest.eq(self.record_rest),
                is_live.eq(vectors_left != 0),
                held_flag.eq(has_flag),
                held_first.eq(has_first),
                held_remainder.eq(has_remainder),
                skipped.eq(Mux(has_remainder, remainder_bits, 0)),
                held_second.eq(second_bits),
                held_third.eq(third_bits),
                vectors_left.eq(vectors_left - (vectors_left != 0)),
            ]

        # Its parts, a step later: what follows the remainders may be shorter than its place.
        record = Signal(RECORD_WINDOW_BITS)
        body, tail = Signal(RECORD_WINDOW_BITS - VECTOR), Signal(2 * VECTOR + 1)
        places = [
            Cat(body, Const(0, 2 * VECTOR + 1))[VECTOR * planes_ :]
            for planes_ in range(_REMAINDER_PLANES + 1)
        ]
        m.d.comb += [
            record.eq(_after(m, window, window_rest, "record")),
            body.eq(Mux(held_first, record[VECTOR:], record)),
            tail.eq(Array(place[: len(tail)] for place in places)[skipped]),
        ]
        planes = Signal(2 * VECTOR, reset_less=True)
        planes_second = Signal(_COUNT_BITS)
        second_used, third_used = Signal(VECTOR), Signal(VECTOR)
        planes_flag, planes_first = Signal(), Signal(VECTOR)
        remainders = [
            Signal(VECTOR, name=f"remainder_{bit}", reset_less=True) for bit in range(_REMAINDER_PLANES)
        ]
        with m.If(step):
            m.d.sync += [
                planes.eq(Mux(held_flag, tail[1:], tail)),
                planes_second.eq(held_second),
                second_used.eq(Cat(held_second > index for index in range(VECTOR))),
                third_used.eq(Cat(held_third > index for index in range(VECTOR))),
                planes_flag.eq(Mux(held_flag, tail[0], is_live)),
                planes_first.eq(Mux(held_first, record[:VECTOR], 0)),
            ]
            for bit, plane in enumerate(remainders):
                used = held_remainder & (remainder_bits > bit)
                m.d.sync += plane.eq(Mux(used, body.word_select(bit, VECTOR), 0))

        # And one step later all planes side by side.
        flag = Signal()
        first, second, third = (Signal(VECTOR, name=name) for name in ("first", "second", "third"))
        first_count, second_count = (
            Signal(_COUNT_BITS),
            Signal(_COUNT_BITS),
        )  # of bits that lead to another plane
        third_bits_used = Signal(VECTOR)
        m.d.comb += third_bits_used.eq((planes >> planes_second) & third_used)
        with m.If(step):
            m.d.sync += [
                flag.eq(planes_flag),
                first.eq(planes_first),
                second.eq(planes[:VECTOR] & second_used),
                third.eq(third_bits_used),
                first_count.eq(Mux(has_second, population(planes_first), 0)),
                second_count.eq(Mux(has_third, population(planes[:VECTOR] & second_used), 0)),
            ]

        # Masks of the bytes whose bit is set in a plane, oldest last.
        flags = self._delay_line(m, flag, 3 * SKEW + 1, "flags")
        mask_1 = self._delay_line(m, first, 2 * SKEW + 4, "mask_1")
        rank_1, rank_2, rank_3 = (
            Signal(4 * VECTOR, name=f"rank_{plane}", reset_less=True) for plane in (1, 2, 3)
        )
        below_1, below_2, below_3 = (
            Signal(3 * _COUNT_BITS, name=f"below_{plane}", reset_less=True) for plane in (1, 2, 3)
        )
        reached_2, reached_3 = Signal(VECTOR), Signal(VECTOR)
        m.d.comb += reached_2.eq(Mux(has_second, spread(second, mask_1[SKEW - 1], rank_1), mask_1[SKEW - 1]))
        mask_2 = self._delay_line(m, reached_2, SKEW + 4, "mask_2")
        m.d.comb += reached_3.eq(Mux(has_third, spread(third, mask_2[SKEW - 1], rank_2), mask_2[SKEW - 1]))
        mask_3 = self._delay_line(m, reached_3, 4, "mask_3")
        next_second, next_third = Signal(_COUNT_BITS), Signal(_COUNT_BITS)  # of the next record
        escaping = Signal(VECTOR)  # bytes, as the last plane of the command marks them
        escaping_count = population(escaping)
        with m.If(step):
            m.d.sync += [
                below_1.eq(counts_below(mask_1[SKEW - 3])),
                below_2.eq(counts_below(mask_2[SKEW - 3])),
                below_3.eq(counts_below(mask_3[0])),
                rank_1.eq(ranks(mask_1[SKEW - 2], below_1)),
                rank_2.eq(ranks(mask_2[SKEW - 2], below_2)),
                rank_3.eq(ranks(mask_3[1], below_3)),
                next_second.eq(first_count),
                next_third.eq(second_count),
                escaping.eq(Mux(has_third, third_bits_used, mask_2[SKEW - 2])),
                self.next_escapes.eq(escaping_count),
                self.next_early_bits.eq(escape_length(escaping_count, escape_bits, three_escapes)),
            ]

        # The next record.
        next_flag = Signal()
        # From registers, as are all that the sum below adds up.
        whole_planes = Signal(range(MAXIMUM_PLANES))
        more_than_two = Signal()
        another_flag = command.zero_vectors & more_than_two  # of the record after the next
        parts = Signal(range(2 * VECTOR + 2))  # of planes, and the flag
        m.d.comb += parts.eq(first_count + second_count + another_flag)
        second_flag = command.zero_vectors & (command.vectors > 1)
        with m.If(step):
            m.d.sync += [
                whole_planes.eq(planes_flag + Mux(flags[-3], remainder_bits, 0)),
                more_than_two.eq(vectors_left > 3),
                next_flag.eq(another_flag),
                self.next_other_bits.eq(Cat(parts[:4], whole_planes + parts[4:])),
                has_flag.eq(next_flag),
                has_first.eq(flags[0]),
                has_remainder.eq(flags[-1]),
                second_bits.eq(next_second),
                third_bits.eq(next_third),
                self.escapes.eq(self.next_escapes),
                self.early_bits.eq(self.next_early_bits),
                self.bits.eq(self.next_early_bits + self.next_other_bits),
            ]
        with m.If(self.start):
            m.d.sync += [
                vectors_left.eq(command.vectors),
                more_than_two.eq(command.vectors > 2),
                has_flag.eq(command.zero_vectors),
                next_flag.eq(second_flag),
                self.next_other_bits.eq(second_flag),
                self.bits.eq(command.zero_vectors),
            ]

        quotients = self._elaborate_escapes(m, mask_3[2], rank_3, remainder_bits)
        self._elaborate_vectors(
            m, quotients, remainders, remainder_bits, (mask_1[-1], mask_2[-1], mask_3[-1])
        )
        return m

    def _delay_line(self, m: Module, value: Signal, length: int, name: str) -> list[Signal]:
        """The value of each of the last `length` steps, the newest first."""
        line = [Signal(len(value), name=f"{name}_{age}") for age in range(length)]
        with m.If(self.step):
            m.d.sync += [after.eq(before) for after, before in zip(line, [value, *line], strict=False)]
        return line

    def _elaborate_escapes(
        self, m: Module, mask: Signal, rank: Signal, remainder_bits: Signal
    ) -> list[Signal]:
        """Quotients of the bytes that escape, in place: four are put there in the cycle after they were taken."""
        window = Signal(len(self.escape_window), reset_less=True)
        window_rest = Signal(range(CUT_BITS))
        escapes = Signal(ESCAPE_WINDOW_BITS)
        is_new, group = Signal(), Signal(2)
        m.d.sync += is_new.eq(self.step | self.escape_step)
        with m.If(self.step | self.escape_step):
            m.d.sync += [window.eq(self.escape_window), window_rest.eq(self.escape_rest)]
            m.d.sync += [group.eq(Mux(self.step, 0, group + 1))]
        m.d.comb += escapes.eq(_after(m, window, window_rest, "escapes"))
        values = []
        for place in range(ESCAPES):
            value = Signal(8, name=f"escape_{place}")
            m.d.comb += value.eq(
                Array((escapes[place * (8 - low) :][: 8 - low] << low)[:8] for low in range(8))[
                    remainder_bits
                ]
            )
            values.append(value)
        quotients = [Signal(8, name=f"quotient_{byte}", reset_less=True) for byte in range(VECTOR)]
        for byte, quotient in enumerate(quotients):
            own_rank = rank.word_select(byte, 4)
            with m.If(is_new & mask[byte] & (own_rank[2:] == group)):
                m.d.sync += quotient.eq(Array(values)[own_rank[:2]])
        return quotients

    def _elaborate_vectors(
        self,
        m: Module,
        quotients: Sequence[Signal],
        remainders: Sequence[Signal],
        remainder_bits: Value,
        masks: Sequence[Signal],
    ) -> None:
        """Quotient and remainder side by side."""
        steps = Signal(range(VECTOR_STEPS + 1))
        with m.If(self.step & (steps != VECTOR_STEPS)):
            m.d.sync += steps.eq(steps + 1)
        with m.If(self.start):
            m.d.sync += steps.eq(0)
        m.d.sync += self.vectors.valid.eq(self.step & (steps == VECTOR_STEPS))
        unit = Signal(9)
        m.d.sync += unit.eq(1 << remainder_bits)
        for byte, quotient in enumerate(quotients):
            reached = [mask[byte] for mask in masks]
            is_one, is_two = reached[0] & ~reached[1], reached[1] & ~reached[2]
            for bit in range(8):
                unary = (is_one & unit[bit]) | (is_two & unit[bit - 1] if bit else Const(0, 1))
                low = remainders[bit][byte] if bit < _REMAINDER_PLANES else Const(0, 1)
                m.d.comb += self.vectors.payload[byte][bit].eq(low | Mux(reached[2], quotient[bit], unary))


def _after(m: Module, window: Value, rest: Value, name: str) -> Value:
    """The bits of a cut that follow the lowest `rest`."""
    for power in reversed(range(len(rest))):
        stage = Signal(len(window) - (1 << power), name=f"{name}_after_{power}")
        m.d.comb += stage.eq(Mux(rest[power], window[1 << power :], window))
        window = stage
    return window
