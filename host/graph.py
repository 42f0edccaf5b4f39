"""The graph intermediate representation: tensors, operators and the order they run in.

A `Graph` is plain data, frozen and checked on construction: every index points somewhere, an operator reads
only what exists by then, and every tensor is written once. What an operator may look like (shapes, data types,
quantisation) is the business of `celosia.host.operator_rules`.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .attributes import Attributes
from .binary_point import FixedPoint

__all__ = ["ABSENT", "BoundOperator", "Graph", "Operator", "Quantization", "Tensor"]

ABSENT = -1
"""The index of an optional operand that is not there."""


@dataclass(frozen=True, slots=True)
class Quantization:
    """``real = scale * (stored - zero_point)``, per tensor (``axis`` is None) or per index of ``axis``.

    Scales are the file's float32 values, exactly.
    """

    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    axis: int | None = None

    def __post_init__(self) -> None:
        if not self.scale or len(self.scale) != len(self.zero_point):
            raise ValueError(
                "scale and zero_point must have the same length of at least 1, "
                f"not {len(self.scale)} and {len(self.zero_point)}"
            )
        for scale in self.scale:
            if not (math.isfinite(scale) and scale > 0):
                raise ValueError(f"scale must be finite and positive, not {scale}")
        if self.axis is None and len(self.scale) != 1:
            raise ValueError(f"axis must be given for {len(self.scale)} scales")
        if self.axis is not None and self.axis < 0:
            raise ValueError(f"axis must not be negative, not {self.axis}")

    @property
    def per_channel(self) -> bool:
        """Whether there is one scale per index of ``axis``."""
        return self.axis is not None


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A value of the graph. ``data`` holds a constant's elements (read-only) and is None for activations.

    ``dtype`` is a NumPy name such as ``"int8"``; ``shape`` has no zero or unknown dimension, ``()`` is a scalar.
    Numbers are quantised, or they have a binary point, or neither.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    quantization: Quantization | None = None
    data: np.ndarray | None = None
    fixed_point: FixedPoint | None = None

    def __post_init__(self) -> None:
        if min(self.shape, default=1) < 1:
            raise ValueError(f"shape must have only positive dimensions, not {self.shape}")
        if self.data is not None:
            if self.data.shape != self.shape or self.data.dtype != np.dtype(self.dtype):
                raise ValueError(
                    f"data must be {self.dtype} of shape {self.shape}, "
                    f"not {self.data.dtype} of shape {self.data.shape}"
                )
            self.data.flags.writeable = False
        if self.quantization is not None:
            self._check_quantization(self.quantization)
        if self.fixed_point is not None:
            self._check_fixed_point(self.fixed_point)

    def _check_fixed_point(self, numbers: FixedPoint) -> None:
        if self.dtype != numbers.dtype or self.quantization is not None:
            raise ValueError(f"{numbers.bits} bits must be {numbers.dtype}, not quantised {self.dtype}")
        if self.data is not None:
            low, high = numbers.limits
            if self.data.min() < low or self.data.max() > high:
                raise ValueError(f"data must be in {low}..{high} for {numbers.bits} bits")

    def _check_quantization(self, quantization: Quantization) -> None:
        if np.dtype(self.dtype).kind in "iu":
            bounds = np.iinfo(self.dtype)
            for zero_point in quantization.zero_point:
                if not bounds.min <= zero_point <= bounds.max:
                    raise ValueError(f"zero_point must fit {self.dtype}, not {zero_point}")
        if quantization.axis is not None:
            if quantization.axis >= len(self.shape):
                raise ValueError(
                    f"quantisation axis must be below {len(self.shape)}, not {quantization.axis}"
                )
            if self.shape[quantization.axis] != len(quantization.scale):
                raise ValueError(
                    f"there must be {self.shape[quantization.axis]} scales for axis {quantization.axis}, "
                    f"not {len(quantization.scale)}"
                )

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the elements, densely stored."""
        return self.size * np.dtype(self.dtype).itemsize

    @property
    def is_constant(self) -> bool:
        """Whether the elements are stored in the model."""
        return self.data is not None

    @property
    def constant(self) -> np.ndarray:
        """The elements of a constant; ValueError for activations."""
        if self.data is None:
            raise ValueError(f"tensor {self.name!r} must be constant")
        return self.data

    @property
    def numbers(self) -> FixedPoint:
        """The binary point and width; ValueError where there is none."""
        if self.fixed_point is None:
            raise ValueError(f"tensor {self.name!r} must have a binary point")
        return self.fixed_point

    @property
    def scale(self) -> float:
        """The one scale of a per-tensor quantisation; ValueError otherwise."""
        return self._per_tensor().scale[0]

    @property
    def zero_point(self) -> int:
        """The one zero point of a per-tensor quantisation; ValueError otherwise."""
        return self._per_tensor().zero_point[0]

    def _per_tensor(self) -> Quantization:
        if self.quantization is None or self.quantization.per_channel:
            raise ValueError(f"tensor {self.name!r} must be quantised per tensor")
        return self.quantization

    def channel_scales(self, channels: int) -> npt.NDArray[np.float64]:
        """One scale per channel; a per-tensor scale is repeated ``channels`` times."""
        if self.quantization is None:
            raise ValueError(f"tensor {self.name!r} must be quantised")
        return np.broadcast_to(np.array(self.quantization.scale), (channels,))


@dataclass(frozen=True, slots=True)
class Operator:
    """One step of the graph. ``kind`` is TFLite's name such as ``"CONV_2D"``, ``index`` the place in the file.

    ``inputs`` and ``outputs`` index the graph's tensors; `ABSENT` marks an optional input that is not there.
    """

    kind: str
    index: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    attributes: Attributes

    @property
    def name(self) -> str:
        """``"CONV_2D #3"``: how messages and reports call the operator."""
        return f"{self.kind} #{self.index}"


@dataclass(frozen=True, slots=True, eq=False)
class BoundOperator:
    """An operator together with its tensors, which is all that rules, shapes and kernels need to know.

    ``inputs`` holds None where an optional input is absent.
    """

    kind: str
    index: int
    attributes: Attributes
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]

    @property
    def name(self) -> str:
        """``"CONV_2D #3"``: how messages and reports call the operator."""
        return f"{self.kind} #{self.index}"

    def operand(self, position: int) -> Tensor:
        """Input ``position``; ValueError when it is absent."""
        tensor = self.optional_operand(position)
        if tensor is None:
            raise ValueError(f"{self.name} must have an input {position}")
        return tensor

    def optional_operand(self, position: int) -> Tensor | None:
        """Input ``position``, or None when it is absent."""
        return self.inputs[position] if position < len(self.inputs) else None

    @property
    def operands(self) -> tuple[Tensor, ...]:
        """The inputs that are there, in order."""
        return tuple(tensor for tensor in self.inputs if tensor is not None)

    @property
    def has_binary_points(self) -> bool:
        """Whether its arithmetic is fixed-point, which any of its tensors says."""
        return any(tensor.fixed_point is not None for tensor in (*self.operands, *self.outputs))

    @property
    def is_wide(self) -> bool:
        """Whether it has activations of int16 that are no fixed-point numbers, or makes whole sums."""
        tensors = (*self.operands[:1], *self.outputs)
        is_int16 = any(tensor.dtype == "int16" and tensor.fixed_point is None for tensor in tensors)
        return is_int16 or self.kind == "MATRIX_PRODUCT"

    @property
    def ifm(self) -> Tensor:
        """The first input."""
        return self.operand(0)

    @property
    def weights(self) -> Tensor:
        """The second input of a convolution or fully connected layer."""
        return self.operand(1)

    @property
    def bias(self) -> Tensor | None:
        """The third input of a convolution or fully connected layer, None when it has no bias."""
        return self.optional_operand(2)

    @property
    def ofm(self) -> Tensor:
        """The first output; ValueError when there is none."""
        if not self.outputs:
            raise ValueError(f"{self.name} must have an output")
        return self.outputs[0]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A network: ``operators`` in an order in which they can run.

    Raises ValueError unless every index is valid, every operator reads only constants, graph inputs and earlier
    results, and every tensor is written at most once.
    """

    name: str
    file: str
    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def __post_init__(self) -> None:
        ready = {index for index, tensor in enumerate(self.tensors) if tensor.is_constant}
        for index in self.inputs:
            self._check_index("graph input", index)
            if index in ready:
                raise ValueError(f"graph input {self.tensors[index].name!r} must not be constant or repeated")
            ready.add(index)
        for operator in self.operators:
            for index in operator.inputs:
                if index == ABSENT:
                    continue
                self._check_index(f"{operator.name} input", index)
                if index not in ready:
                    raise ValueError(
                        f"{operator.name} reads tensor {self.tensors[index].name!r} before it is written"
                    )
            for index in operator.outputs:
                self._check_index(f"{operator.name} output", index)
                if index in ready:
                    raise ValueError(
                        f"{operator.name} writes tensor {self.tensors[index].name!r} a second time"
                    )
                ready.add(index)
        if not self.outputs:
            raise ValueError("the graph must have at least one output")
        for index in self.outputs:
            self._check_index("graph output", index)
            if index not in ready:
                raise ValueError(f"graph output {self.tensors[index].name!r} is never written")

    def _check_index(self, what: str, index: int) -> None:
        if not 0 <= index < len(self.tensors):
            raise ValueError(f"{what} must be a tensor index below {len(self.tensors)}, not {index}")

    def tensor(self, index: int) -> Tensor:
        """The tensor at ``index``; ValueError for `ABSENT` and other invalid indices."""
        self._check_index("tensor", index)
        return self.tensors[index]

    def bind(self, operator: Operator) -> BoundOperator:
        """``operator`` with its tensors in place of their indices."""
        return BoundOperator(
            operator.kind,
            operator.index,
            operator.attributes,
            tuple(None if index == ABSENT else self.tensor(index) for index in operator.inputs),
            tuple(self.tensor(index) for index in operator.outputs),
        )
