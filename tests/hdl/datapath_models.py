"""What every port of the brick buffer, the output stage and the multiplier does in every cycle.

Models as in `block_models.py`. Registers without a reset hold garbage at first: what depends on what entered
before the model's first step is left out of the outputs.
"""

from collections import deque

from amaranth.hdl import unsigned

from celosia.hdl.arithmetic_model import multiply_by_quantized_multiplier, requantize, wrap_int32
from celosia.hdl.brick_buffer import ADDRESS_BITS, BANKS, GATHER_LATENCY
from celosia.hdl.multiplier import MULTIPLIER_LATENCY
from celosia.hdl.requantize import REQUANTIZE_LATENCY, SCALED_LATENCY, accumulator_layout
from tests.hdl.block_models import Ports, QueueModel, offered
from tests.hdl.blocks_top import METADATA_BITS

ACCUMULATOR = accumulator_layout(unsigned(METADATA_BITS))

_STORE_QUEUE_DEPTH = 8
_STORE_STAGES = 3  # from the banks to the queue
_HALF_MASKS = (0, 0xFFFF_FFFF, 0xFFFF_FFFF << 32, (1 << 64) - 1)


class BrickBufferModel:
    """BrickBuffer: a list of bricks, the gather and the write of the last cycle, and the bricks on their way out."""

    def __init__(self, bricks: int) -> None:
        self._bricks = [0] * bricks
        self._gather: range | None = None
        self._gathered: deque[Ports] = deque([{}] * (GATHER_LATENCY - 1), maxlen=GATHER_LATENCY - 1)
        self._activate: tuple[int, int, int] | None = None  # address, data, halves
        self._store: deque[int | None] = deque([None] * _STORE_STAGES, maxlen=_STORE_STAGES)
        self._queue = QueueModel(_STORE_QUEUE_DEPTH, has_output_register=False)
        self._room = _STORE_QUEUE_DEPTH
        self._was_answered = (
            0  # an answer was taken in the cycle before: its place counts from the next one on
        )

    def outputs(self, inputs: Ports) -> Ports:
        taken = {address % BANKS for address in self._gather or ()}
        written = None if self._activate is None else self._activate[0] % BANKS
        stored = inputs["store_request__payload"] % BANKS
        return {
            "store_request__ready": int(self._room > 0 and stored not in taken),
            "load_write__ready": int(inputs["load_write__payload"] % BANKS != written),
            **offered("store_response", self._queue.outputs({}).get("o__payload")),
            **self._gathered[0],
        }

    def step(self, inputs: Ports) -> None:
        outputs = self.outputs(inputs)
        self._step_gather(inputs)
        self._step_store(inputs, bool(inputs["store_request__valid"] and outputs["store_request__ready"]))
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

    def _step_store(self, inputs: Ports, is_taken: bool) -> None:
        answered = inputs["store_response__ready"] & self._queue.outputs({})["o__valid"]
        arrived = self._store[0]
        self._queue.step(
            {
                "i__valid": int(arrived is not None),
                "i__payload": arrived or 0,
                "o__ready": inputs["store_response__ready"],
            }
        )
        self._store.append(self._bricks[inputs["store_request__payload"]] if is_taken else None)
        self._room += self._was_answered - is_taken
        self._was_answered = answered

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
