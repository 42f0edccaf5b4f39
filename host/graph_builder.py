"""Quantised networks made in Python, which no file carries."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .attributes import (
    Activation,
    Attributes,
    ConcatenationAttributes,
    ConvAttributes,
    DepthwiseAttributes,
    ElementwiseAttributes,
    FullyConnectedAttributes,
    MeanAttributes,
    NoAttributes,
    PadAttributes,
    Padding,
    Pair,
    PoolAttributes,
    SoftmaxAttributes,
)
from .graph import Graph, Quantization, Tensor
from .graph_assembly import GraphAssembly, Value

__all__ = ["GraphBuilder", "Value"]

Int8 = npt.NDArray[np.int8]
Scale = float | Sequence[float] | npt.NDArray[np.floating]


class GraphBuilder:
    """Builds a `Graph`, operator by operator.

    Values are int8 with ``real = scale * (stored - zero_point)``, images NHWC with any batch; a batch is compiled into
    one command list. Weights are int8 arrays with one scale, or one for each ofm channel; biases int32 arrays in steps
    of the ifm's scale times the weights'. An input may be int16, with a zero point of 0: then so are the results of
    operators with weights, and biases are int64. Scales are rounded to float32, as files have them. Operators whose
    result is quantised as TensorFlow Lite fixes it take no scale. Every operator's shape follows from its inputs:

        builder = GraphBuilder("edges")
        image = builder.input((2, 32, 32, 3), scale=1 / 255, zero_point=-128)
        edges = builder.convolution(image, weights, 0.02, scale=0.1, stride=(2, 2), activation="RELU")
        graph = builder.build([builder.max_pool(edges, (2, 2))])
        session = celosia.InferenceSession(graph, device="sim:u55-32")

    What the host's rules for an operator refuse (`host/operator_rules.py`), its method refuses by a ValueError that
    names operator and rule.
    """

    def __init__(self, name: str = "graph") -> None:
        """`name` stands where a model file's name would."""
        self._graph = GraphAssembly(name)

    def input(
        self,
        shape: Sequence[int],
        *,
        scale: float | None = None,
        zero_point: int = 0,
        dtype: str = "int8",
        name: str = "",
    ) -> Value:
        """An input of the network; without a scale only float32 makes sense."""
        quantization = None if scale is None else _quantization(scale, zero_point)
        return self._graph.add_input(
            Tensor(name or self._graph.next_input, tuple(shape), dtype, quantization)
        )

    def constant(self, values: Int8, *, scale: float, zero_point: int = 0) -> Value:
        """An operand that is always the same, for ADD, SUB, MUL and CONCATENATION."""
        return self._constant(np.array(values, np.int8), _quantization(scale, zero_point))

    def convolution(
        self,
        ifm: Value,
        weights: Int8,
        weight_scale: Scale,
        *,
        scale: float,
        zero_point: int = 0,
        bias: npt.ArrayLike | None = None,
        stride: Pair = (1, 1),
        dilation: Pair = (1, 1),
        padding: Padding = "SAME",
        activation: Activation = "NONE",
    ) -> Value:
        """CONV_2D; `weights` are [ofm channel, kernel y, kernel x, ifm channel of the ofm channel's group]."""
        operands = self._weighted(ifm, weights, weight_scale, bias, axis=0)
        attributes = ConvAttributes(stride, dilation, padding, activation)
        return self._operator("CONV_2D", operands, attributes, _quantization(scale, zero_point), _like(ifm))

    def depthwise_convolution(
        self,
        ifm: Value,
        weights: Int8,
        weight_scale: Scale,
        *,
        scale: float,
        zero_point: int = 0,
        bias: npt.ArrayLike | None = None,
        stride: Pair = (1, 1),
        dilation: Pair = (1, 1),
        padding: Padding = "SAME",
        activation: Activation = "NONE",
    ) -> Value:
        """DEPTHWISE_CONV_2D; `weights` are [kernel y, kernel x, ofm channel], a multiple of the ifm's channels."""
        operands = self._weighted(ifm, np.array(weights, np.int8)[None], weight_scale, bias, axis=3)
        multiplier = weights.shape[-1] // ifm.shape[-1]
        attributes = DepthwiseAttributes(stride, dilation, padding, activation, multiplier)
        quantization = _quantization(scale, zero_point)
        return self._operator("DEPTHWISE_CONV_2D", operands, attributes, quantization, _like(ifm))

    def fully_connected(
        self,
        ifm: Value,
        weights: Int8,
        weight_scale: Scale,
        *,
        scale: float,
        zero_point: int = 0,
        bias: npt.ArrayLike | None = None,
        activation: Activation = "NONE",
        keep_dims: bool = False,
    ) -> Value:
        """FULLY_CONNECTED; `weights` are [ofm channel, ifm element]. Rows of the ifm have that many elements, whatever
        its dimensions; with `keep_dims` they are its last one.
        """
        operands = self._weighted(ifm, weights, weight_scale, bias, axis=0)
        attributes = FullyConnectedAttributes(activation, keep_dims)
        quantization = _quantization(scale, zero_point)
        return self._operator("FULLY_CONNECTED", operands, attributes, quantization, _like(ifm))

    def matrix_product(self, ifm: Value, weights: npt.NDArray[np.int8] | npt.NDArray[np.int16]) -> Value:
        """MATRIX_PRODUCT, which TensorFlow Lite does not have: exact sums, int64, of products of the ifm's rows with
        `weights`, [column of the result, element of a row]; either may be int8 or int16.
        """
        return self._operator("MATRIX_PRODUCT", [ifm, self._constant(weights)], NoAttributes(), None, "int64")

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
        return self._operator("MAX_POOL_2D", [ifm], attributes, ifm.tensor.quantization)

    def average_pool(
        self,
        ifm: Value,
        kernel: Pair,
        *,
        stride: Pair | None = None,
        padding: Padding = "VALID",
        activation: Activation = "NONE",
    ) -> Value:
        """AVERAGE_POOL_2D; the stride is by default the kernel's size."""
        attributes = PoolAttributes(kernel, stride or kernel, padding, activation)
        return self._operator("AVERAGE_POOL_2D", [ifm], attributes, ifm.tensor.quantization)

    def add(
        self, left: Value, right: Value, *, scale: float, zero_point: int = 0, activation: Activation = "NONE"
    ) -> Value:
        """ADD; operands repeat over each other as NumPy's do."""
        return self._elementwise("ADD", left, right, scale, zero_point, activation)

    def subtract(
        self, left: Value, right: Value, *, scale: float, zero_point: int = 0, activation: Activation = "NONE"
    ) -> Value:
        """SUB, as `add`."""
        return self._elementwise("SUB", left, right, scale, zero_point, activation)

    def multiply(
        self, left: Value, right: Value, *, scale: float, zero_point: int = 0, activation: Activation = "NONE"
    ) -> Value:
        """MUL, as `add`."""
        return self._elementwise("MUL", left, right, scale, zero_point, activation)

    def pad(
        self, ifm: Value, before: Sequence[int], after: Sequence[int], *, value: int | None = None
    ) -> Value:
        """PAD with the zero point, or PADV2 with a stored `value`; `before` and `after` have an entry a dimension."""
        paddings = self._constant(np.array([before, after], np.int32).T.copy())
        operands, kind, fill = [ifm, paddings], "PAD", ifm.tensor.zero_point
        if value is not None:
            kind, fill = "PADV2", value
            operands.append(self._constant(np.array(value, np.int8), ifm.tensor.quantization))
        attributes = PadAttributes(tuple(before), tuple(after), fill)
        return self._operator(kind, operands, attributes, ifm.tensor.quantization)

    def concatenate(self, values: Sequence[Value], axis: int) -> Value:
        """CONCATENATION; all values have the same scale and zero point. A negative `axis` counts from the end."""
        if not values:
            raise ValueError("CONCATENATION must have at least 1 input")
        attributes = ConcatenationAttributes(axis % len(values[0].shape))
        return self._operator("CONCATENATION", values, attributes, values[0].tensor.quantization)

    def reshape(self, ifm: Value, shape: Sequence[int]) -> Value:
        """RESHAPE; one dimension may be -1."""
        requested = self._constant(np.array(shape, np.int32))
        known = int(np.prod([size for size in shape if size != -1]))
        full = tuple(ifm.tensor.size // known if size == -1 else size for size in shape)
        return self._operator(
            "RESHAPE", [ifm, requested], NoAttributes(), ifm.tensor.quantization, ifm.tensor.dtype, full
        )

    def mean(
        self,
        ifm: Value,
        axes: Sequence[int],
        *,
        scale: float,
        zero_point: int = 0,
        keep_dims: bool = False,
    ) -> Value:
        """MEAN over `axes`; negative ones count from the end."""
        positive = tuple(sorted(axis % len(ifm.shape) for axis in axes))
        attributes = MeanAttributes(positive, keep_dims)
        operands = [ifm, self._constant(np.array(positive, np.int32))]
        return self._operator("MEAN", operands, attributes, _quantization(scale, zero_point))

    def relu(self, ifm: Value, *, scale: float | None = None, zero_point: int | None = None) -> Value:
        """RELU, by default quantised as the ifm."""
        same = ifm.tensor
        quantization = _quantization(
            same.scale if scale is None else scale, same.zero_point if zero_point is None else zero_point
        )
        return self._operator("RELU", [ifm], NoAttributes(), quantization)

    def relu6(self, ifm: Value) -> Value:
        """RELU6, quantised as the ifm."""
        return self._operator("RELU6", [ifm], NoAttributes(), ifm.tensor.quantization)

    def logistic(self, ifm: Value) -> Value:
        """LOGISTIC, in steps of 1/256 from -128."""
        return self._operator("LOGISTIC", [ifm], NoAttributes(), _quantization(1 / 256, -128))

    def tanh(self, ifm: Value) -> Value:
        """TANH, in steps of 1/128."""
        return self._operator("TANH", [ifm], NoAttributes(), _quantization(1 / 128, 0))

    def softmax(self, ifm: Value, *, beta: float = 1.0) -> Value:
        """SOFTMAX over the last dimension, in steps of 1/256 from -128."""
        return self._operator("SOFTMAX", [ifm], SoftmaxAttributes(beta), _quantization(1 / 256, -128))

    def quantize(self, ifm: Value, *, scale: float, zero_point: int = 0, dtype: str = "int8") -> Value:
        """QUANTIZE from float32, or to another scale and zero point."""
        return self._operator("QUANTIZE", [ifm], NoAttributes(), _quantization(scale, zero_point), dtype)

    def dequantize(self, ifm: Value) -> Value:
        """DEQUANTIZE to float32."""
        return self._operator("DEQUANTIZE", [ifm], NoAttributes(), None, "float32")

    def build(self, outputs: Sequence[Value]) -> Graph:
        """The network, whose inputs are all of `input` in order. The builder may go on and build another.

        Raises:
            ValueError: there is no output.
        """
        return self._graph.build(outputs)

    def _elementwise(
        self, kind: str, left: Value, right: Value, scale: float, zero_point: int, activation: Activation
    ) -> Value:
        attributes = ElementwiseAttributes(activation)
        return self._operator(kind, [left, right], attributes, _quantization(scale, zero_point))

    def _weighted(
        self, ifm: Value, weights: Int8, scale: Scale, bias: npt.ArrayLike | None, axis: int
    ) -> list[Value]:
        """Ifm, weights whose ofm channels are dimension `axis`, and the bias if there is one."""
        scales = np.atleast_1d(np.asarray(scale, np.float32))
        quantization = _quantization(scales, 0, axis if len(scales) > 1 else None)
        operands = [ifm, self._constant(_exact(weights, np.int8, "weights"), quantization)]
        dtype: type[np.int32] | type[np.int64] = np.int32
        if ifm.tensor.dtype == "int16":  # whose sums are int64, and always have a bias
            dtype = np.int64
            bias = np.zeros(weights.shape[axis], np.int64) if bias is None else bias
        if bias is not None:
            products = np.float32(ifm.tensor.scale) * scales
            steps = _quantization(products, 0, 0 if len(scales) > 1 else None)
            operands.append(self._constant(_exact(bias, dtype, "bias"), steps))
        return operands

    def _constant(self, data: npt.NDArray[np.generic], quantization: Quantization | None = None) -> Value:
        name = self._graph.next_constant
        return self._graph.add(Tensor(name, data.shape, str(data.dtype), quantization, data.copy()))

    def _operator(
        self,
        kind: str,
        operands: Sequence[Value],
        attributes: Attributes,
        quantization: Quantization | None,
        dtype: str = "int8",
        shape: tuple[int, ...] = (),
    ) -> Value:
        """Append an operator whose ofm has the shape that the inputs give; `shape` is RESHAPE's."""
        return self._graph.add_operator(kind, operands, attributes, Tensor("", shape, dtype, quantization))


def _like(ifm: Value) -> str:
    """Data type of the ofm of an operator with weights: int16 for int16, else int8."""
    return "int16" if ifm.tensor.dtype == "int16" else "int8"


def _quantization(scale: Scale, zero_point: int, axis: int | None = None) -> Quantization:
    scales = tuple(float(one) for one in np.atleast_1d(np.asarray(scale, np.float32)))
    return Quantization(scales, (zero_point,) * len(scales), axis)


def _exact(
    values: npt.ArrayLike, dtype: type[np.int8] | type[np.int32] | type[np.int64], what: str
) -> npt.NDArray[np.generic]:
    """`values` as an array of integers of that type.

    Raises:
        ValueError: one does not fit.
    """
    given = np.asarray(values)
    exact = given.astype(dtype)
    if not np.array_equal(exact, given):
        raise ValueError(f"{what} must be integers that fit {np.dtype(dtype).name}")
    return exact
