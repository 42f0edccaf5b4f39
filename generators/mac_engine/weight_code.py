"""The lossless code of weights: definition, encoder, and the decoder's model.

Weights are coded in **vectors** of 16 bytes, one step of the decoder each:

* `live_lanes` = L: of the eight lanes of an output channel, only the first L (1, 2, 3, 4 or 8) are coded, the others
  are zero. The live bytes of all words follow each other, and every 16 of them are a vector; the last is padded.
* With `zero_vectors`, a **flag** bit says of every vector whether it has a byte other than zero; nothing more is coded
  of one that has none. Without, all vectors count as flagged.
* A byte b becomes the unsigned u = 2 * b if b >= 0, else -2 * b - 1, and is cut into its `remainder_bits` = k low bits
  and the quotient q = u >> k. With `unary_planes` = P (1..3), q < P is unary: P planes of bits say
  q >= 1, q >= 2, q >= 3, each for those bytes only whose bit in the plane before is set. A byte whose bit in the
  last plane is set **escapes**: its q follows as 8 - k plain bits.

The stream is a sequence of **records**, least significant bit of the first byte first, without gaps; zero bits fill the
last 64-bit beat. So that the decoder knows the length of a record long before it gets there, the parts of a vector are
spread over records, `SKEW` apart. Of V vectors, record r in 0 .. V + 4 * SKEW - 1 holds, in this order:

1. vector r - 4 * SKEW: q of its first four escapes
2. vector r - SKEW, if flagged: plane 1, 16 bits
3. vector r - 4 * SKEW, if flagged: k planes of 16 bits, bit j of the remainder of each byte
4. vector r: its flag
5. vector r - 2 * SKEW: plane 2
6. vector r - 3 * SKEW: plane 3
7. vector r - 4 * SKEW: q of its other escapes; the decoder takes up to four of them in a cycle

Golomb-Rice codes: R. F. Rice, "Some practical universal noiseless coding techniques", JPL 79-22, 1979.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .isa import BRICK_CHANNELS, WEIGHT_WORD_BYTES

VECTOR = 16
"""Bytes of a vector: what the decoder makes in a step."""

SKEW = 5
"""Records from one part of a vector to the next that depends on it."""

ESCAPES = 4
"""Escapes that the decoder takes in a cycle."""

LIVE_LANES = (1, 2, 3, 4, 8)

EXPANSION_CYCLES = {1: 8, 2: 4, 3: 3, 4: 2, 8: 1}
"""By live lanes, the most words that become complete with a vector: cycles from a vector to the next."""

MAXIMUM_UNARY_PLANES = 3
MAXIMUM_PLANES = 9
"""Most remainder and unary planes together: the decoder's window."""

_BEAT_BYTES = 8
_START_CYCLES = 24
"""By how much a coded WEIGHTS takes longer than the slower of its beats and its records."""

_LARGEST_SLOWDOWN = 1.25
"""What fewer bytes may cost in cycles, which other work mostly hides; short or dense streams stay raw."""
_FIELDS = ("live_lanes", "remainder_bits", "unary_planes", "zero_vectors")
_POPULATION = np.array([bin(value).count("1") for value in range(1 << VECTOR)], np.uint8).tolist()


class MalformedWeights(ValueError):
    """A stream that no encoder writes."""


@dataclass(frozen=True, slots=True)
class WeightCode:
    """How one stream is coded; see the module."""

    live_lanes: int
    remainder_bits: int
    unary_planes: int
    zero_vectors: bool

    def __post_init__(self) -> None:
        for name, allowed in (
            ("live_lanes", LIVE_LANES),
            ("remainder_bits", range(8)),
            ("unary_planes", range(1, MAXIMUM_UNARY_PLANES + 1)),
        ):
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {list(allowed)}, not {getattr(self, name)}")
        if self.remainder_bits + self.unary_planes > MAXIMUM_PLANES:
            raise ValueError(
                f"remainder_bits + unary_planes must be at most {MAXIMUM_PLANES}, "
                f"not {self.remainder_bits + self.unary_planes}"
            )

    @property
    def fields(self) -> dict[str, int]:
        """What a WEIGHTS command says of it."""
        return {name: int(getattr(self, name)) for name in _FIELDS}

    @property
    def escape_bits(self) -> int:
        """Bits of an escape."""
        return 8 - self.remainder_bits

    def vectors(self, words: int) -> int:
        """Vectors of `words` 128-bit words."""
        return -(-words * 2 * self.live_lanes // VECTOR)


def code_of(fields: Mapping[str, int]) -> WeightCode:
    """The code that a WEIGHTS command names.

    Raises:
        MalformedWeights: there is no such code, or `vectors` does not go with `words`.
    """
    try:
        code = WeightCode(
            fields["live_lanes"],
            fields["remainder_bits"],
            fields["unary_planes"],
            bool(fields["zero_vectors"]),
        )
    except ValueError as error:
        raise MalformedWeights(str(error)) from error
    if fields["vectors"] != code.vectors(fields["words"]):
        raise MalformedWeights(
            f"vectors must be {code.vectors(fields['words'])} for {fields['words']} words, not {fields['vectors']}"
        )
    return code


@dataclass(frozen=True, slots=True)
class CodedWeights:
    """A stream and what its WEIGHTS command must say.

    Attributes:
        code: how it is coded.
        words: 128-bit words that it decodes to.
        content: whole 64-bit beats.
        cycles: that the decoder takes, were all beats there.
    """

    code: WeightCode
    words: int
    content: bytes
    cycles: int

    @property
    def fields(self) -> dict[str, int]:
        """What its WEIGHTS command says of it, place and size in memory apart."""
        return {"words": self.words, "vectors": self.code.vectors(self.words), **self.code.fields}


def best_code(content: bytes) -> WeightCode:
    """The code of the fewest bits for `content`, whole 128-bit words."""
    lanes = np.frombuffer(content, np.int8).reshape(-1, BRICK_CHANNELS)
    used = np.any(lanes, axis=0)
    least = int(used.nonzero()[0].max()) + 1 if used.any() else 1
    chosen: tuple[int, WeightCode] | None = None
    for live_lanes in (lanes_ for lanes_ in LIVE_LANES if lanes_ >= least):
        unsigned = _unsigned_vectors(lanes, live_lanes)
        for zero_vectors in (False, True):
            coded = unsigned[np.any(unsigned, axis=1)] if zero_vectors else unsigned
            counts = np.bincount(coded.reshape(-1), minlength=256)
            for code in _codes(live_lanes, zero_vectors):
                bits = int(counts @ _bits_of_byte(code)) + len(unsigned) * zero_vectors
                if chosen is None or bits < chosen[0]:
                    chosen = bits, code
        if live_lanes == 3:
            break  # lane 4 can only add bytes
    assert chosen is not None
    return chosen[1]


def _codes(live_lanes: int, zero_vectors: bool) -> Iterator[WeightCode]:
    for unary_planes in range(1, MAXIMUM_UNARY_PLANES + 1):
        for remainder_bits in range(min(8, MAXIMUM_PLANES + 1 - unary_planes)):
            yield WeightCode(live_lanes, remainder_bits, unary_planes, zero_vectors)


def _bits_of_byte(code: WeightCode) -> npt.NDArray[np.int64]:
    """Bits that each unsigned byte takes."""
    quotient = np.arange(256) >> code.remainder_bits
    escapes = quotient >= code.unary_planes
    return np.where(escapes, code.unary_planes + 8, quotient + 1 + code.remainder_bits)


def _unsigned_vectors(lanes: npt.NDArray[np.int8], live_lanes: int) -> npt.NDArray[np.uint8]:
    """Live bytes, unsigned, [vector, 16]."""
    live = lanes[:, :live_lanes].reshape(-1).astype(np.int16)
    unsigned = np.where(live >= 0, 2 * live, -2 * live - 1).astype(np.uint8)
    return np.pad(unsigned, (0, -len(unsigned) % VECTOR)).reshape(-1, VECTOR)


def encode(content: bytes, code: WeightCode | None = None) -> CodedWeights:
    """Code `content` by `code`, or by the best one.

    Raises:
        ValueError: `content` is empty or no whole number of 128-bit words, or has a byte other than zero in a lane that
            `code` does not keep.
    """
    if not content or len(content) % WEIGHT_WORD_BYTES:
        raise ValueError(f"content must be whole words of 16 bytes, not {len(content)} bytes")
    code = code or best_code(content)
    lanes = np.frombuffer(content, np.int8).reshape(-1, BRICK_CHANNELS)
    if lanes[:, code.live_lanes :].any():
        raise ValueError(f"live_lanes must cover all bytes other than zero, not {code.live_lanes}")
    unsigned = _unsigned_vectors(lanes, code.live_lanes)
    flagged = np.any(unsigned, axis=1) if code.zero_vectors else np.ones(len(unsigned), bool)
    quotient = unsigned >> code.remainder_bits
    reached = quotient[:, None, :] >= np.arange(1, 4)[:, None]  # [vector, plane, byte]
    is_escape = quotient >= code.unary_planes
    rank = is_escape.cumsum(1) - 1
    escape_bits = (quotient[:, :, None] >> np.arange(8)) & 1
    escape_used = is_escape[:, :, None] & (np.arange(8) < code.escape_bits)
    early = escape_used & (rank < ESCAPES)[:, :, None]
    remainder = (unsigned[:, None, :] >> np.arange(code.remainder_bits)[:, None]) & 1
    everywhere = np.ones(VECTOR, bool)
    second = reached[:, 0] & (code.unary_planes >= 2)
    third = reached[:, 1] & (code.unary_planes >= 3)
    parts = (
        (4, escape_bits, early),
        (1, reached[:, 0], flagged[:, None] & everywhere),
        (4, remainder, np.broadcast_to(flagged[:, None, None], remainder.shape)),
        (0, flagged[:, None], np.full((len(unsigned), 1), code.zero_vectors)),
        (2, reached[:, 1], second),
        (3, reached[:, 2], third),
        (4, escape_bits, escape_used & ~early),
    )
    bits = np.hstack([_delayed(bits, delay) for delay, bits, _ in parts])
    used = np.hstack([_delayed(used, delay) for delay, _, used in parts])
    packed = np.packbits(bits[used].astype(bool), bitorder="little").tobytes()
    beats = max(1, -(-len(packed) // _BEAT_BYTES))
    cycles = np.maximum(-(-is_escape.sum(1) // ESCAPES), EXPANSION_CYCLES[code.live_lanes])
    return CodedWeights(
        code,
        len(lanes) // 2,
        packed.ljust(beats * _BEAT_BYTES, b"\0"),
        int(cycles.sum()) + 4 * SKEW,
    )


def encode_if_better(content: bytes, beat_cycles: float = 1.0) -> CodedWeights | None:
    """The best code of `content` if that takes fewer bytes than `content` itself, and not much longer to load from a
    memory that gives a beat every `beat_cycles`.
    """
    coded = encode(content)
    raw_cycles = len(content) // _BEAT_BYTES * beat_cycles
    coded_cycles = max(len(coded.content) // _BEAT_BYTES * beat_cycles, coded.cycles) + _START_CYCLES
    is_better = len(coded.content) < len(content) and coded_cycles <= _LARGEST_SLOWDOWN * raw_cycles
    return coded if is_better else None


def _delayed(values: npt.NDArray[np.generic], delay: int) -> npt.NDArray[np.bool_]:
    """Rows of bits in the records that hold them."""
    rows = values.reshape(len(values), -1).astype(bool)
    return np.pad(rows, ((delay * SKEW, (4 - delay) * SKEW), (0, 0)))


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the decoder takes it.

    Attributes:
        bits: length of the parts 1 to 6, taken in one cycle.
        escapes: length of each further cycle of part 7.
    """

    bits: int
    escapes: tuple[int, ...]


class _Reader:
    """Bits of a stream, one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._bits = len(content) * 8
        self.place = 0

    def take(self, count: int) -> int:
        first = self.place >> 3
        self.place += count
        if self.place > self._bits:
            raise MalformedWeights(f"the stream ends before its {self.place}th bit")
        chunk = int.from_bytes(self._content[first : (self.place + 7) >> 3], "little")
        return chunk >> ((self.place - count) & 7) & ((1 << count) - 1)


@dataclass(slots=True)
class _Vector:
    """What is known of a vector: planes of one bit a byte, in place."""

    flagged: int = 0
    planes: tuple[int, int, int] = (0, 0, 0)
    escapes: int = 0


def records(content: bytes, code: WeightCode, words: int) -> list[Record]:
    """The records of a stream: all that the decoder's timing depends on.

    Raises:
        MalformedWeights: the stream is too short, or more than its last beat is left over.
    """
    return _parse(content, code, code.vectors(words), None)


def decode(content: bytes, code: WeightCode, words: int) -> bytes:
    """The `words` 128-bit words of a stream.

    Raises:
        MalformedWeights: the stream is too short, or more than its last beat is left over.
    """
    count = code.vectors(words)
    symbols = np.zeros((count, VECTOR), np.uint8)
    _parse(content, code, count, symbols)
    signed = np.where(symbols & 1, ~(symbols >> 1), symbols >> 1)
    live = signed.reshape(-1)[: words * 2 * code.live_lanes].reshape(-1, code.live_lanes)
    return np.pad(live, ((0, 0), (0, BRICK_CHANNELS - code.live_lanes))).tobytes()


def _parse(
    content: bytes, code: WeightCode, count: int, symbols: npt.NDArray[np.uint8] | None
) -> list[Record]:
    """Walk through all records; fill `symbols` with the unsigned bytes if it is given."""
    reader = _Reader(content)
    vectors = [_Vector() for _ in range(count)]
    found: list[Record] = []
    for record in range(count + 4 * SKEW):
        start = reader.place
        oldest = vectors[record - 4 * SKEW] if record >= 4 * SKEW else _Vector()
        escapes = _POPULATION[oldest.escapes]
        early = reader.take(min(escapes, ESCAPES) * code.escape_bits)
        first = vectors[record - SKEW] if SKEW <= record < count + SKEW else _Vector()
        if first.flagged:
            plane = reader.take(VECTOR)
            first.planes = (plane, plane, plane)
            first.escapes = plane
        remainder = reader.take(code.remainder_bits * VECTOR * oldest.flagged)
        if record < count:
            vectors[record].flagged = reader.take(1) if code.zero_vectors else 1
        if 2 * SKEW <= record < count + 2 * SKEW and code.unary_planes >= 2:
            second = vectors[record - 2 * SKEW]
            plane = _spread(reader.take(_POPULATION[second.escapes]), second.escapes)
            second.planes = (second.planes[0], plane, plane)
            second.escapes = plane
        if 3 * SKEW <= record < count + 3 * SKEW and code.unary_planes >= 3:
            third = vectors[record - 3 * SKEW]
            plane = _spread(reader.take(_POPULATION[third.escapes]), third.escapes)
            third.planes = (*third.planes[:2], plane)
            third.escapes = plane
        bits = reader.place - start
        late = [
            min(ESCAPES, escapes - group) * code.escape_bits for group in range(ESCAPES, escapes, ESCAPES)
        ]
        values = [early, *(reader.take(length) for length in late)]
        found.append(Record(bits, tuple(late)))
        if symbols is not None and record >= 4 * SKEW and oldest.flagged:
            symbols[record - 4 * SKEW] = _bytes_of(oldest, remainder, values, code)
    if len(content) - (reader.place + 7) // 8 >= _BEAT_BYTES:
        raise MalformedWeights(f"{len(content)} bytes are more than the {reader.place} bits that are coded")
    return found


def _spread(bits: int, mask: int) -> int:
    """The bits of `bits`, one for each set bit of `mask`, in its places."""
    result = 0
    while mask:
        low = mask & -mask
        if bits & 1:
            result |= low
        bits >>= 1
        mask ^= low
    return result


def _bytes_of(vector: _Vector, remainder: int, escapes: Sequence[int], code: WeightCode) -> list[int]:
    """The 16 unsigned bytes of a vector."""
    result: list[int] = []
    rank = 0
    for lane in range(VECTOR):
        if vector.escapes >> lane & 1:
            group = escapes[rank // ESCAPES] >> (rank % ESCAPES * code.escape_bits)
            quotient = group & ((1 << code.escape_bits) - 1)
            rank += 1
        elif code.unary_planes == 1:
            quotient = 0
        else:
            quotient = (vector.planes[0] >> lane & 1) + (
                vector.planes[1] >> lane & 1 if code.unary_planes == 3 else 0
            )
        value = quotient << code.remainder_bits
        for bit in range(code.remainder_bits):
            value |= (remainder >> (bit * VECTOR + lane) & 1) << bit
        result.append(value)
    return result
