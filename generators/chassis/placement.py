"""Where feature maps lie, in the unified buffer and in memory, and the commands that move them."""

from dataclasses import dataclass

from .command import Opcode, Region
from .layer import MapShape
from .schedule import Command, Span

BRICK_CHANNELS = 8
"""Channels of a brick, unless a family chooses otherwise."""
POINTER_MASK = 0xFFFF
NO_RING_END = 0x1FFFF
"""`ring_end` of a map that never wraps: no row pointer reaches it."""
MEMORY_SPAN_BYTES = 64
"""Unit in which dependencies through memory are tracked."""
BUFFER = "buffer"


@dataclass(frozen=True, slots=True)
class Placement:
    """A feature map in the unified buffer, `[row][channel brick][x]`.

    Attributes:
        base: first brick.
        shape: of the whole map.
        rows: rows kept; fewer than `shape.height` make the map a ring.
        brick_channels: of a brick.
    """

    base: int
    shape: MapShape
    rows: int
    brick_channels: int = BRICK_CHANNELS

    @property
    def channel_bricks(self) -> int:
        """Bricks that hold the channels of one pixel."""
        return -(-self.shape.channels // self.brick_channels)

    @property
    def row_pitch(self) -> int:
        """Bricks from one row to the next."""
        return self.channel_bricks * self.shape.width

    @property
    def bricks(self) -> int:
        """Bricks that the rows kept take."""
        return self.rows * self.row_pitch

    @property
    def is_ring(self) -> bool:
        """Whether rows are overwritten while the map passes."""
        return self.rows < self.shape.height

    def row(self, y: int) -> int:
        """Pointer to row y, which may lie outside the map (padding)."""
        if self.is_ring:
            return self.base + y % self.rows * self.row_pitch
        return (self.base + y * self.row_pitch) & POINTER_MASK

    def fields(self, prefix: str, y: int) -> dict[str, int]:
        """Command fields of the map from row y on."""
        return {
            f"{prefix}row": self.row(y),
            f"{prefix}row_pitch": self.row_pitch,
            f"{prefix}channel_pitch": self.shape.width,
            f"{prefix}ring_end": self.base + self.bricks if self.is_ring else NO_RING_END,
            f"{prefix}ring_size": self.bricks if self.is_ring else 0,
        }

    def spans(self, low: int, high: int) -> tuple[Span, ...]:
        """Bricks of rows low..high-1, clipped to the map."""
        low, high = max(low, 0), min(high, self.shape.height)
        if low >= high:
            return ()
        if not self.is_ring:
            start = self.base + low * self.row_pitch
            return (Span(BUFFER, start, start + (high - low) * self.row_pitch),)
        if high - low > self.rows:
            raise ValueError(f"{high - low} rows do not fit a ring of {self.rows}")
        first, count = low % self.rows, high - low
        split = min(count, self.rows - first)
        parts = [(first, split)] + ([(0, count - split)] if count > split else [])
        return tuple(
            Span(BUFFER, self.base + row * self.row_pitch, self.base + (row + n) * self.row_pitch)
            for row, n in parts
        )


@dataclass(frozen=True, slots=True)
class UnifiedBuffer:
    """What is there to place maps in: `bricks` of `brick_channels` elements of `element_bytes` each."""

    bricks: int
    brick_channels: int = BRICK_CHANNELS
    element_bytes: int = 1

    @property
    def size(self) -> int:
        """Bytes."""
        return self.bricks * self.brick_channels * self.element_bytes

    def whole(self, shape: MapShape, base: int = 0) -> Placement:
        """A map with all of its rows."""
        return self.ring(shape, shape.height, base)

    def ring(self, shape: MapShape, rows: int, base: int = 0) -> Placement:
        """A map of which at most `rows` are kept."""
        return Placement(base, shape, min(rows, shape.height), self.brick_channels)

    def row_bricks(self, shape: MapShape) -> int:
        """Bricks of one row of a map."""
        return self.whole(shape).row_pitch


@dataclass(frozen=True, slots=True)
class MemoryTensor:
    """A packed NHWC tensor in memory: elements at byte `offset` of a region.

    Attributes:
        row_pitch: elements from a row to the next; None: as many as a row has.
    """

    region: Region
    offset: int
    shape: MapShape
    element_bytes: int = 1
    row_pitch: int | None = None

    @property
    def pixel_bytes(self) -> int:
        """Of all channels."""
        return self.shape.channels * self.element_bytes

    @property
    def row_bytes(self) -> int:
        """From a row to the next."""
        if self.row_pitch is not None:
            return self.row_pitch * self.element_bytes
        return self.shape.width * self.pixel_bytes

    def span(self, low: int, high: int) -> Span:
        """Rows low..high-1, as a dependency."""
        first = self.offset + low * self.row_bytes
        last = self.offset + (high - 1) * self.row_bytes + self.shape.width * self.pixel_bytes
        return Span(self.region.name, first // MEMORY_SPAN_BYTES, -(-last // MEMORY_SPAN_BYTES))


def _transfer_fields(memory: MemoryTensor, placement: Placement, low: int, high: int) -> dict[str, int]:
    shape = memory.shape
    return {
        "region": memory.region,
        "offset": memory.offset + low * memory.row_bytes,
        "rows": high - low,
        "width": shape.width,
        "channels": memory.pixel_bytes,
        **placement.fields("", low),
    }


def load_rows(memory: MemoryTensor, placement: Placement, low: int, high: int, layer: int) -> list[Command]:
    """LOADs of rows low..high-1: one, or one a row where rows do not lie behind each other."""
    step = high - low if memory.row_pitch is None else 1
    return [
        Command(
            Opcode.LOAD,
            _transfer_fields(memory, placement, first, first + step),
            reads=(memory.span(first, first + step),),
            writes=placement.spans(first, first + step),
            layer=layer,
        )
        for first in range(low, high, step)
    ]


def store_rows(memory: MemoryTensor, placement: Placement, low: int, high: int, layer: int) -> Command:
    """STORE of rows low..high-1."""
    return Command(
        Opcode.STORE,
        _transfer_fields(memory, placement, low, high),
        reads=placement.spans(low, high),
        writes=(memory.span(low, high),),
        layer=layer,
    )
