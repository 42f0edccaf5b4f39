"""Fixed-point networks made in Python."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .attributes import (
    Activation,
    ConvAttributes,
    DepthwiseAttributes,
    ElementwiseAttributes,
    FullyConnectedAttributes,
    NoAttributes,
    PadAttributes,
    Padding,
    Pair,
    PoolAttributes,
)
from .binary_point import FixedPoint, Rounding
from .graph import Graph, Tensor
from .graph_assembly import GraphAssembly, Value

__all__ = ["FixedPointBuilder"]


class FixedPointBuilder:
    """Builds a `Graph` of fixed-point numbers, as `GraphBuilder` one of quantised numbers.

    All values have `bits` bits, 16 (int16 arrays) or 18 (int32 arrays); every layer has a binary point of its own:
    ``real = stored / 2**fraction_bits``. Images are NHWC. Biases are integers in steps of the product of ifm and
    weights. Sums have 48 bits; results are rounded once, as `rounding` says, and saturate:

        builder = FixedPointBuilder("edges", bits=16, rounding="EVEN")
        image = builder.input((1, 32, 32, 3), fraction_bits=15)
        edges = builder.convolution(image, weights, 12, fraction_bits=10, stride=(2, 2), activation="RELU")
        graph = builder.build([builder.max_pool(edges, (2, 2))])

    What the host's rules refuse (`host/fixed_point_rules.py`), its methods refuse by a ValueError that names operator
    and rule.
    """

    def __init__(self, name: str = "graph", *, bits: int = 16, rounding: Rounding = "EVEN") -> None:
        """`name` stands where a model file's name would."""
        self._numbers = FixedPoint(bits, 0, rounding)
        self._graph = GraphAssembly(name)

    def input(self, shape: Sequence[int], *, fraction_bits: int, name: str = "") -> Value:
        """An input of the network."""
        return self._graph.add_input(
            self._tensor(name or self._graph.next_input, fraction_bits, tuple(shape))
        )

    def convolution(
        self,
        ifm: Value,
        weights: npt.ArrayLike,
        weight_fraction_bits: int,
        *,
        fraction_bits: int,
        bias: npt.ArrayLike | None = None,
        stride: Pair = (1, 1),
        dilation: Pair = (1, 1),
        padding: Padding = "SAME",
        activation: Activation = "NONE",
    ) -> Value:
        """CONV_2D; `weights` are [ofm channel, kernel y, kernel x, ifm channel of the ofm channel's group]."""
        operands = self._weighted(ifm, weights, weight_fraction_bits, bias)
        attributes = ConvAttributes(stride, dilation, padding, activation)
        return self._graph.add_operator("CONV_2D", operands, attributes, self._tensor("", fraction_bits))

    def depthwise_convolution(
        self,
        ifm: Value,
        weights: npt.ArrayLike,
        weight_fraction_bits: int,
        *,
        fraction_bits: int,
        bias: npt.ArrayLike | None = None,
        stride: Pair = (1, 1),
        dilation: Pair = (1, 1),
        padding: Padding = "SAME",
        activation: Activation = "NONE",
    ) -> Value:
        """DEPTHWISE_CONV_2D; `weights` are [kernel y, kernel x, ofm channel], a multiple of the ifm's channels."""
        kernels = np.asarray(weights)[None]
        operands = self._weighted(ifm, kernels, weight_fraction_bits, bias)
        multiplier = kernels.shape[-1] // ifm.shape[-1]
        attributes = DepthwiseAttributes(stride, dilation, padding, activation, multiplier)
        ofm = self._tensor("", fraction_bits)
        return self._graph.add_operator("DEPTHWISE_CONV_2D", operands, attributes, ofm)

    def fully_connected(
        self,
        ifm: Value,
        weights: npt.ArrayLike,
        weight_fraction_bits: int,
        *,
        fraction_bits: int,
        bias: npt.ArrayLike | None = None,
        activation: Activation = "NONE",
    ) -> Value:
        """FULLY_CONNECTED; `weights` are [ofm channel, ifm element]."""
        operands = self._weighted(ifm, weights, weight_fraction_bits, bias)
        attributes = FullyConnectedAttributes(activation)
        ofm = self._tensor("", fraction_bits)
        return self._graph.add_operator("FULLY_CONNECTED", operands, attributes, ofm)

    def max_pool(
        self,
        ifm: Value,
        kernel: Pair,
        *,
        stride: Pair | None = None,
        padding: Padding = "VALID",
        activation: Activation = "NONE",
    ) -> Value:
        """MAX_POOL_2D; the stride is by default the kernel's size."""
        attributes = PoolAttributes(kernel, stride or kernel, padding, activation)
        return self._graph.add_operator("MAX_POOL_2D", [ifm], attributes, ifm.tensor)

    def average_pool(
        self,
        ifm: Value,
        kernel: Pair,
        *,
        stride: Pair | None = None,
        padding: Padding = "VALID",
        activation: Activation = "NONE",
    ) -> Value:
        """AVERAGE_POOL_2D of the pixels inside the image; the stride is by default the kernel's size."""
        attributes = PoolAttributes(kernel, stride or kernel, padding, activation)
        return self._graph.add_operator("AVERAGE_POOL_2D", [ifm], attributes, ifm.tensor)

    def add(self, left: Value, right: Value, *, fraction_bits: int, activation: Activation = "NONE") -> Value:
        """ADD; operands repeat over each other as NumPy's do."""
        attributes, ofm = ElementwiseAttributes(activation), self._tensor("", fraction_bits)
        return self._graph.add_operator("ADD", [left, right], attributes, ofm)

    def subtract(
        self, left: Value, right: Value, *, fraction_bits: int, activation: Activation = "NONE"
    ) -> Value:
        """SUB, as `add`."""
        attributes, ofm = ElementwiseAttributes(activation), self._tensor("", fraction_bits)
        return self._graph.add_operator("SUB", [left, right], attributes, ofm)

    def pad(self, ifm: Value, before: Sequence[int], after: Sequence[int]) -> Value:
        """PAD with zeros; `before` and `after` have an entry a dimension."""
        paddings = self._plain(np.array([before, after], np.int32).T.copy())
        attributes = PadAttributes(tuple(before), tuple(after), 0)
        return self._graph.add_operator("PAD", [ifm, paddings], attributes, ifm.tensor)

    def relu(self, ifm: Value) -> Value:
        """RELU."""
        return self._graph.add_operator("RELU", [ifm], NoAttributes(), ifm.tensor)

    def reshape(self, ifm: Value, shape: Sequence[int]) -> Value:
        """RESHAPE; one dimension may be -1."""
        known = int(np.prod([size for size in shape if size != -1]))
        full = tuple(ifm.tensor.size // known if size == -1 else size for size in shape)
        numbers = self._tensor("", ifm.tensor.numbers.fraction_bits, full)
        requested = self._plain(np.array(shape, np.int32))
        return self._graph.add_operator("RESHAPE", [ifm, requested], NoAttributes(), numbers)

    def build(self, outputs: Sequence[Value]) -> Graph:
        """The network, whose inputs are all of `input` in order. The builder may go on and build another.

        Raises:
            ValueError: there is no output.
        """
        return self._graph.build(outputs)

    def _tensor(
        self, name: str, fraction_bits: int, shape: tuple[int, ...] = (), data: np.ndarray | None = None
    ) -> Tensor:
        numbers = FixedPoint(self._numbers.bits, fraction_bits, self._numbers.rounding)
        return Tensor(name, shape, numbers.dtype, data=data, fixed_point=numbers)

    def _plain(self, data: npt.NDArray[np.integer]) -> Value:
        return self._graph.add(
            Tensor(self._graph.next_constant, data.shape, str(data.dtype), data=data.copy())
        )

    def _weighted(
        self, ifm: Value, weights: npt.ArrayLike, fraction_bits: int, bias: npt.ArrayLike | None
    ) -> list[Value]:
        """Ifm, weights, and the bias if there is one."""
        low, high = self._numbers.limits
        exact = _integers(weights, "weights", low, high).astype(self._numbers.dtype)
        tensor = self._tensor(self._graph.next_constant, fraction_bits, exact.shape, exact)
        operands = [ifm, self._graph.add(tensor)]
        if bias is not None:
            limits = np.iinfo(np.int64)
            operands.append(self._plain(_integers(bias, "bias", limits.min, limits.max)))
        return operands


def _integers(values: npt.ArrayLike, what: str, low: int, high: int) -> npt.NDArray[np.int64]:
    """`values` as int64.

    Raises:
        ValueError: one is no integer in `low`..`high`.
    """
    given = np.asarray(values)
    exact = given.astype(np.int64)
    if not np.array_equal(exact, given) or exact.min(initial=0) < low or exact.max(initial=0) > high:
        raise ValueError(f"{what} must be integers in {low}..{high}")
    return exact
