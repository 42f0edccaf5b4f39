"""What a generator is asked to run: one frozen `Layer`, arithmetic already in integers.

The host turns its graph into layers; lowering and timing of every family read them. All zero-point
arithmetic is folded into `bias`, so that a layer's accumulator is a plain sum of products, of int8 or of
fixed-point numbers.
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .fixed_point import FixedPointScaling
from .wide_scaling import WideScaling


class LayerKind(enum.Enum):
    """The arithmetic form of a layer."""

    CONVOLUTION = "convolution"
    """accumulator[o] = sum of weights[o, ky, kx, i] * ifm[y, x, i]; fully connected is a special case."""
    DEPTHWISE = "depthwise"
    """accumulator[o] = sum of weights[o, ky, kx] * ifm[y, x, o // depth_multiplier]; average pooling too."""
    MAXIMUM = "maximum"
    """accumulator[c] = maximum of ifm[y, x, c] over the window; a 1x1 window is a copy."""
    ADD = "add"
    """accumulator[c] = operand_tables[0][ifm] + operand_tables[1][ifm2]"""
    MULTIPLY = "multiply"
    """accumulator[c] = operand_tables[0][ifm] * operand_tables[1][ifm2]"""
    SOFTMAX = "softmax"
    """ofm[y, x] = TFLite's SOFTMAX of the channels of ifm[y, x], by `exponentials`."""


ELEMENTWISE = frozenset({LayerKind.ADD, LayerKind.MULTIPLY})


@dataclass(frozen=True, slots=True)
class MapShape:
    """Height, width and channels of a feature map (batch 1)."""

    height: int
    width: int
    channels: int

    def __post_init__(self) -> None:
        if min(self.height, self.width, self.channels) < 1:
            raise ValueError(f"every dimension of a feature map must be at least 1, not {self}")

    @property
    def size(self) -> int:
        """Elements, and bytes in memory."""
        return self.height * self.width * self.channels


@dataclass(frozen=True, slots=True)
class Window:
    """Kernel geometry; padding is what lies above and to the left of pixel (0, 0)."""

    height: int = 1
    width: int = 1
    stride_y: int = 1
    stride_x: int = 1
    dilation_y: int = 1
    dilation_x: int = 1
    pad_top: int = 0
    pad_left: int = 0

    @property
    def span_y(self) -> int:
        """Rows from the first kernel row to one past the last."""
        return (self.height - 1) * self.dilation_y + 1

    @property
    def span_x(self) -> int:
        """Pixels from the first kernel column to one past the last."""
        return (self.width - 1) * self.dilation_x + 1


@dataclass(frozen=True, slots=True, eq=False)
class Requantization:
    """int32 accumulator -> int8: + bias, multiplier and shift with TFLite's double rounding, zero point, clamp, table.

    Attributes:
        bias: int32[channels].
        multiplier: int32[channels], 0 or in [2**30, 2**31).
        shift: int8[channels], positive is left, -31..30.
        zero_point: added after scaling.
        minimum, maximum: clamp.
        table: int8[256] or None; replaces the clamped value v by table[v + 128].
    """

    bias: npt.NDArray[np.int32]
    multiplier: npt.NDArray[np.int32]
    shift: npt.NDArray[np.int8]
    zero_point: int = 0
    minimum: int = -128
    maximum: int = 127
    table: npt.NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        if not len(self.bias) == len(self.multiplier) == len(self.shift):
            raise ValueError("bias, multiplier and shift must have one entry a channel each")

    @property
    def is_uniform(self) -> bool:
        """Every channel has the same parameters."""
        return self.has_uniform_scale and bool((self.bias == self.bias[0]).all())

    @property
    def has_uniform_scale(self) -> bool:
        """Every channel has the same multiplier and shift."""
        return all(bool((a == a[0]).all()) for a in (self.multiplier, self.shift))

    @property
    def parameter_words(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.int8]]:
        """Of each channel: bias, multiplier and shift."""
        return self.bias, self.multiplier, self.shift

    def of_channels(self, channels: slice | npt.NDArray[np.intp]) -> "Requantization":
        """Of some of the channels."""
        return replace(
            self, bias=self.bias[channels], multiplier=self.multiplier[channels], shift=self.shift[channels]
        )

    @classmethod
    def identity(cls, channels: int, table: npt.NDArray[np.int8] | None = None) -> "Requantization":
        """Accumulators -128..127 pass unchanged (and then through `table`)."""
        return cls(
            bias=np.zeros(channels, np.int32),
            multiplier=np.full(channels, 1 << 30, np.int32),
            shift=np.ones(channels, np.int8),
            table=table,
        )


OutputStage = Requantization | FixedPointScaling | WideScaling
"""From accumulators to results."""

_DTYPES = {8: "int8", 16: "int16", 18: "int32"}
"""Of weights, by the operands' width."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """How the second operand of an element-wise layer repeats over the first."""

    rows: bool = False
    pixels: bool = False
    channels: bool = False


@dataclass(frozen=True, slots=True)
class Alignment:
    """How two fixed-point numbers are added: the binary point of the one on the left is shifted to the other's.

    Attributes:
        shift: places to the left.
        shifts_second: of the second operand, else of the first.
        negated: of each operand.
    """

    shift: int
    shifts_second: bool
    negated: tuple[bool, bool] = (False, False)

    @property
    def fields(self) -> dict[str, int]:
        """Of COMPUTE, where it has them."""
        return {
            "operand_shift": self.shift,
            "shifts_second": int(self.shifts_second),
            "negated": self.negated[0] + 2 * self.negated[1],
        }


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer on an engine.

    Attributes:
        name: of the operator it came from, for reports.
        operator: index of that operator in the graph.
        kind: arithmetic form.
        ifm, ifm2, ofm: names of feature maps; `ifm2` is None but for element-wise kinds.
        ifm_shape: shape as which `ifm` is read. ofm_shape: the part of `ofm` that this layer writes.
        ifm_row_pitch: elements of `ifm`, which is in memory, from a row to the next (None: as many as a row has).
        ifm_rows: first row of `ifm` that counts and one past the last (None: all); the others read as padding.
        window: kernel geometry.
        pad_value: what the ifm reads as outside its bounds; the lower bits of more than 8 are 0.
        weights: int8, int16 or (of 18 bits) int32, with `WideScaling` int8 or int16: [o, ky, kx, i] (CONVOLUTION) or
            [o, ky, kx] (DEPTHWISE), else None.
        ifm_channel: of `ifm`, that which the weights' i = 0 multiplies (CONVOLUTION).
        depth_multiplier: outputs per input channel (DEPTHWISE).
        requantization: accumulator to result; which also says the operands' width.
        operand_tables: int32[2, 256], indexed by value + 128 (ADD, MULTIPLY of int8).
        alignment: instead of tables (ADD of fixed-point numbers).
        exponentials: int32[256] in Q0.31, indexed by how far a value is below its pixel's maximum (SOFTMAX).
        ifm2_shape, broadcast: of the second operand.
        ofm_y, ofm_x, ofm_channel: where in `ofm` the part starts (concatenation).
        ifm_planes, ofm_planes: bytes of an element that lie in planes: each channel brick is so many bricks, the
            highest bytes first, and the channels of the shape count all of them; 1 where elements lie as they are.
        macs: useful multiply-accumulates, for reports.
    """

    name: str
    operator: int
    kind: LayerKind
    ifm: str
    ofm: str
    ifm_shape: MapShape
    ofm_shape: MapShape
    requantization: OutputStage
    window: Window = Window()
    pad_value: int = 0
    weights: npt.NDArray[np.int8] | None = None
    depth_multiplier: int = 1
    operand_tables: npt.NDArray[np.int32] | None = None
    alignment: Alignment | None = None
    exponentials: npt.NDArray[np.int32] | None = None
    ifm2: str | None = None
    ifm2_shape: MapShape | None = None
    broadcast: Broadcast = Broadcast()
    ofm_y: int = 0
    ofm_x: int = 0
    ofm_channel: int = 0
    ifm_channel: int = 0
    ifm_planes: int = 1
    ofm_planes: int = 1
    ifm_row_pitch: int | None = None
    ifm_rows: tuple[int, int] | None = None
    macs: int = 0

    def __post_init__(self) -> None:
        combines = (self.operand_tables is None) != (self.alignment is None)
        if (self.kind in ELEMENTWISE) != (self.ifm2 is not None and combines):
            raise ValueError(f"layer {self.name}: a second operand and its tables belong to ADD and MULTIPLY")
        if (self.kind in (LayerKind.CONVOLUTION, LayerKind.DEPTHWISE)) != (self.weights is not None):
            raise ValueError(f"layer {self.name}: weights belong to CONVOLUTION and DEPTHWISE")
        if (self.kind is LayerKind.SOFTMAX) != (self.exponentials is not None):
            raise ValueError(f"layer {self.name}: exponentials belong to SOFTMAX")
        stored, planes = self.ofm_shape.channels, self.ofm_planes
        if (stored % planes or stored < planes * self.outputs) if planes > 1 else stored != self.outputs:
            raise ValueError(f"layer {self.name}: one set of parameters is needed for each ofm channel")
        dtypes = ("int8", "int16") if self.is_wide else (_DTYPES[self.operand_bits],)
        if self.weights is not None and self.weights.dtype not in dtypes:
            raise TypeError(
                f"layer {self.name}: weights must be {' or '.join(dtypes)}, not {self.weights.dtype}"
            )
        if self.kind is LayerKind.CONVOLUTION and self.weights is not None:
            beyond = self.ifm_channel + self.weights.shape[3]
            if not 0 <= self.ifm_channel < beyond <= self.ifm_shape.channels:
                raise ValueError(
                    f"layer {self.name}: weights must be for channels 0..{self.ifm_shape.channels - 1}, "
                    f"not {self.ifm_channel}..{beyond - 1}"
                )
        first, last = self.row_bounds
        if not 0 <= first < last <= self.ifm_shape.height:
            raise ValueError(
                f"layer {self.name}: ifm_rows must lie in 0..{self.ifm_shape.height}, not {self.ifm_rows}"
            )

    @property
    def operand_bits(self) -> int:
        """Of ifm, weights and ofm: 8, the bytes of a wide layer included, or 16 or 18 of fixed-point numbers."""
        return self.requantization.bits if isinstance(self.requantization, FixedPointScaling) else 8

    @property
    def is_wide(self) -> bool:
        """Whether its sums have 48 bits, for ifm, weights or ofm of more than 8."""
        return isinstance(self.requantization, WideScaling)

    @property
    def outputs(self) -> int:
        """Channels of the ofm, whatever their elements take."""
        return len(self.requantization.bias)

    @property
    def int8_stage(self) -> Requantization:
        """The requantization of an int8 layer; TypeError of any other."""
        if not isinstance(self.requantization, Requantization):
            raise TypeError(f"layer {self.name} must be of int8, not of {self.operand_bits} bits")
        return self.requantization

    @property
    def reads_every_channel(self) -> bool:
        """Whether no channel of the ifm is left to other layers."""
        if self.ifm_planes > 1:
            return False
        if self.weights is None or self.kind is not LayerKind.CONVOLUTION:
            return True
        return self.weights.shape[3] == self.ifm_shape.channels

    @property
    def row_bounds(self) -> tuple[int, int]:
        """First row of the ifm that is no padding, and one past the last."""
        return self.ifm_rows or (0, self.ifm_shape.height)


def written_shape(layers: Iterable[Layer], name: str) -> MapShape:
    """Shape of the map `name`, from the parts of it that the layers write; at least one writes it."""
    parts = [layer for layer in layers if layer.ofm == name]
    return MapShape(
        max(layer.ofm_y + layer.ofm_shape.height for layer in parts),
        max(layer.ofm_x + layer.ofm_shape.width for layer in parts),
        max(layer.ofm_channel + layer.ofm_shape.channels for layer in parts),
    )


def treats_channels_apart(layer: Layer) -> bool:
    """Whether an output channel depends on the ifm's channel of the same number alone."""
    return layer.kind is LayerKind.MAXIMUM or (
        layer.kind is LayerKind.DEPTHWISE and layer.depth_multiplier == 1
    )
