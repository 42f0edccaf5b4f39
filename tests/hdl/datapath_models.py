"""What every port of the brick buffers, the output stages and the multiplier does in every cycle.

Models as in `block_models.py`. Registers without a reset hold garbage at first: what depends on what entered
before the model's first step is left out of the outputs.
"""

import math
from collections import deque
from collections.abc import Sequence
from fractions import Fraction

from amaranth.hdl import unsigned

from celosia.hdl.arithmetic_model import multiply_by_quantized_multiplier, requantize, wrap_int32
from celosia.hdl.brick_buffer import ADDRESS_BITS, BANKS, GATHER_LATENCY
from celosia.hdl.fixed_point_round import ROUND_LATENCY
from celosia.hdl.fixed_point_round import accumulator_layout as sum_layout
from celosia.hdl.multiplier import MULTIPLIER_LATENCY
from celosia.hdl.requantize import REQUANTIZE_LATENCY, SCALED_LATENCY, accumulator_layout
from celosia.hdl.wide_brick_buffer import BRICK_READ_LATENCY, PIECE_BITS
from tests.hdl.block_models import Ports, QueueModel, offered
from tests.hdl.blocks_top import METADATA_BITS, RESULT_BITS, SUM_BITS

ACCUMULATOR = accumulator_layout(unsigned(METADATA_BITS))
SUM = sum_layout(SUM_BITS, unsigned(METADATA_BITS))

_STORE_QUEUE_DEPTH = 8
_STORE_STAGES = 3  # from the banks to the queue
_HALF_MASKS = (0, 0xFFFF_FFFF, 0xFFFF_FFFF << 32, (1 << 64) - 1)


class StoreModel:
    """Answers for STORE on their way out of a buffer: a few stages, then a queue whose places are claimed before."""

    def __init__(self) -> None:
        self._stages: deque[int | None] = deque([None] * _STORE_STAGES, maxlen=_STORE_STAGES)
        self._queue = QueueModel(_STORE_QUEUE_DEPTH, has_output_register=False)
        self._room = _STORE_QUEUE_DEPTH
        self._was_answered = (
            0  # an answer was taken in the cycle before: its place counts from the next one on
        )

    @property
    def has_room(self) -> bool:
        """One more may be asked for."""
        return self._room > 0

    def outputs(self) -> Ports:
        """`store_response` in the current cycle."""
        return offered("store_response", self._queue.outputs({}).get("o__payload"))

    def step(self, ready: int, read: int | None) -> None:
        """The end of a cycle in which `read` was what a request that was taken found."""
        answered = ready & self._queue.outputs({})["o__valid"]
        arrived = self._stages[0]
        self._queue.step(
            {"i__valid": int(arrived is not None), "i__payload": arrived or 0, "o__ready": ready}
        )
        self._stages.append(read)
        self._room += self._was_answered - (read is not None)
        self._was_answered = answered


class BrickBufferModel:
    """BrickBuffer: a list of bricks, the gather and the write of the last cycle, and the bricks on their way out."""

    def __init__(self, bricks: int) -> None:
        self._bricks = [0] * bricks
        self._gather: range | None = None
        self._gathered: deque[Ports] = deque([{}] * (GATHER_LATENCY - 1), maxlen=GATHER_LATENCY - 1)
        self._activate: tuple[int, int, int] | None = None  # address, data, halves
        self._store = StoreModel()

    def outputs(self, inputs: Ports) -> Ports:
        taken = {address % BANKS for address in self._gather or ()}
        written = None if self._activate is None else self._activate[0] % BANKS
        stored = inputs["store_request__payload"] % BANKS
        return {
            "store_request__ready": int(self._store.has_room and stored not in taken),
            "load_write__ready": int(inputs["load_write__payload"] % BANKS != written),
            **self._store.outputs(),
            **self._gathered[0],
        }

    def step(self, inputs: Ports) -> None:
        outputs = self.outputs(inputs)
        self._step_gather(inputs)
        is_taken = inputs["store_request__valid"] and outputs["store_request__ready"]
        read = self._bricks[inputs["store_request__payload"]] if is_taken else None
        self._store.step(inputs["store_response__ready"], read)
        self._step_writes(inputs, bool(inputs["load_write__valid"] and outputs["load_write__ready"]))

    def _step_gather(self, inputs: Ports) -> None:
        bricks = {}
        for place, address in enumerate(self._gather or ()):
            address %= 1 << ADDRESS_BITS
            if address < len(self._bricks):
                bricks[f"gather__bricks__{place}"] = self._bricks[address]
        self._gathered.append(bricks)
        first, count = inputs["gather__address"], inputs["gather__count"]
        self._gather = range(first, first + count) if inputs["gather__enable"] else None

    def _step_writes(self, inputs: Ports, loads: bool) -> None:
        if self._activate is not None:
            address, data, halves = self._activate
            mask = _HALF_MASKS[halves]
            self._bricks[address] = self._bricks[address] & ~mask | data & mask
        if loads:
            payload = inputs["load_write__payload"]
            self._bricks[payload & (1 << ADDRESS_BITS) - 1] = payload >> ADDRESS_BITS
        self._activate = None
        if inputs["activate_write__enable"]:
            address, data, halves = (
                inputs[f"activate_write__{part}"] for part in ("address", "data", "halves")
            )
            self._activate = address, data, halves


class WideBrickBufferModel:
    """WideBrickBuffer: a list of pieces, the read and the write of the last cycle, and what is on its way out."""

    def __init__(self, bricks: int, pieces: int, together: int) -> None:
        self._pieces, self._together = pieces, together
        self._stored = [0] * bricks * pieces
        self._asked: int | None = None
        self._read: deque[Ports] = deque([{}] * (BRICK_READ_LATENCY - 1), maxlen=BRICK_READ_LATENCY - 1)
        self._activate: tuple[int, int] | None = None  # group, data
        self._store = StoreModel()

    def _bank(self, piece: int) -> int:
        return piece // self._pieces % BANKS

    def outputs(self, inputs: Ports) -> Ports:
        taken = None if self._asked is None else self._asked % BANKS
        written = None if self._activate is None else self._bank(self._activate[0] * self._together)
        loaded = inputs["load_write__payload"] % (self._pieces << ADDRESS_BITS)
        return {
            "store_request__ready": int(
                self._store.has_room and self._bank(inputs["store_request__payload"]) != taken
            ),
            "load_write__ready": int(self._bank(loaded) != written),
            **self._store.outputs(),
            **self._read[0],
        }

    def step(self, inputs: Ports) -> None:
        outputs = self.outputs(inputs)
        brick = {}
        if self._asked is not None:
            first = self._asked * self._pieces
            brick = {"read_data": _packed(self._stored[first : first + self._pieces])}
        self._read.append(brick)
        self._asked = inputs["read_address"] if inputs["read_enable"] else None
        is_taken = inputs["store_request__valid"] and outputs["store_request__ready"]
        read = self._stored[inputs["store_request__payload"]] if is_taken else None
        self._store.step(inputs["store_response__ready"], read)
        self._step_writes(inputs, bool(inputs["load_write__valid"] and outputs["load_write__ready"]))

    def _step_writes(self, inputs: Ports, loads: bool) -> None:
        if self._activate is not None:
            group, data = self._activate
            for place in range(self._together):
                piece = data >> PIECE_BITS * place & (1 << PIECE_BITS) - 1
                self._stored[group * self._together + place] = piece
        if loads:
            data, piece = divmod(inputs["load_write__payload"], self._pieces << ADDRESS_BITS)
            self._stored[piece] = data
        self._activate = None
        if inputs["activate_enable"]:
            data, group = divmod(inputs["activate_write"], (self._pieces << ADDRESS_BITS) // self._together)
            self._activate = group, data


def _packed(pieces: Sequence[int]) -> int:
    return sum(piece << PIECE_BITS * place for place, piece in enumerate(pieces))


class DualPortModel:
    """DualPortMemory: rows; what a port reads where the other writes is left out."""

    def __init__(self, depth: int) -> None:
        self._rows = [0] * depth
        self._read: Ports = {}

    def outputs(self, inputs: Ports) -> Ports:
        return self._read

    def step(self, inputs: Ports) -> None:
        address = [inputs[f"ports__{port}__address"] for port in range(2)]
        writes = [inputs[f"ports__{port}__write_enable"] for port in range(2)]
        self._read = {
            f"ports__{port}__read_data": self._rows[address[port]]
            for port in range(2)
            if not writes[port] and not (writes[1 - port] and address[0] == address[1])
        }
        for port in range(2):
            if writes[port]:
                self._rows[address[port]] = inputs[f"ports__{port}__write_data"]


class FixedPointRoundModel:
    """FixedPointRound with the constants of one layer: exact fractions, late."""

    def __init__(self, to_even: int, minimum: int, maximum: int) -> None:
        self._to_even, self._limits = to_even, (minimum, maximum)
        self._results: deque[Ports] = deque([{}] * ROUND_LATENCY, maxlen=ROUND_LATENCY)

    def outputs(self, inputs: Ports) -> Ports:
        return self._results[0]

    def step(self, inputs: Ports) -> None:
        result = {"results__valid": inputs["accumulators__valid"]}
        if inputs["accumulators__valid"]:
            given = SUM.from_bits(inputs["accumulators__payload"])
            half = 1 << SUM_BITS - 1
            total = (given.accumulator + given.bias + half) % (2 * half) - half
            value = min(
                max(self._rounded(Fraction(total, 1 << given.shift)), self._limits[0]), self._limits[1]
            )
            result["results__payload"] = value & (1 << RESULT_BITS) - 1 | given.metadata << RESULT_BITS
        self._results.append(result)

    def _rounded(self, exact: Fraction) -> int:
        if self._to_even:
            return round(exact)
        return math.floor(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)


class RequantizeModel:
    """Requantize with the constants of one layer: `arithmetic_model.requantize`, late."""

    def __init__(self, zero_point: int, minimum: int, maximum: int) -> None:
        self._constants = zero_point, minimum, maximum
        self._scaled: deque[Ports] = deque([{}] * SCALED_LATENCY, maxlen=SCALED_LATENCY)
        self._results: deque[Ports] = deque([{}] * REQUANTIZE_LATENCY, maxlen=REQUANTIZE_LATENCY)

    def outputs(self, inputs: Ports) -> Ports:
        return self._scaled[0] | self._results[0]

    def step(self, inputs: Ports) -> None:
        given = ACCUMULATOR.from_bits(inputs["accumulators__payload"])
        accumulator = wrap_int32(given.accumulator + given.bias)
        zero_point = self._constants[0]
        scaled = multiply_by_quantized_multiplier(accumulator, given.multiplier, given.shift) + zero_point
        self._scaled.append({"scaled": int(scaled) & 0xFFFF_FFFF})
        result = {"results__valid": inputs["accumulators__valid"]}
        if inputs["accumulators__valid"]:
            value = requantize(accumulator, given.multiplier, given.shift, *self._constants)
            result["results__payload"] = int(value) & 0xFF | given.metadata << 8
        self._results.append(result)


class MultiplierModel:
    """Multiplier of a signed `a` and an unsigned `b`: their product, late."""

    def __init__(self, a_bits: int, b_bits: int) -> None:
        self._a_bits = a_bits
        self._product_bits = a_bits + b_bits
        self._products: deque[Ports] = deque([{}] * MULTIPLIER_LATENCY, maxlen=MULTIPLIER_LATENCY)

    def outputs(self, inputs: Ports) -> Ports:
        return self._products[0]

    def step(self, inputs: Ports) -> None:
        a = inputs["a"] - (inputs["a"] >> self._a_bits - 1 << self._a_bits)
        self._products.append({"product": a * inputs["b"] & (1 << self._product_bits) - 1})
