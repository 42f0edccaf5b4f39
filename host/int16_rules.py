"""What an operator with 16-bit operands must look like; see `operator_rules`."""

from celosia.generators.chassis.wide_scaling import LARGEST_SHIFT

from .common_rules import Rule, operand_count, output_shape
from .graph import BoundOperator, Tensor
from .quantization import activation_range, convolution_rescale

__all__ = ["INT16_RULES"]

_BIAS_BITS = 47
_MOST_PRODUCTS = 1 << 22
"""Of int16 and int16 in a sum of 48 bits, beside a bias of 47; more than the largest constant has."""


def _describe(tensor: Tensor) -> str:
    return f"{tensor.dtype}{'' if tensor.quantization else ' without quantisation'} in {tensor.name!r}"


def _is_int16(tensor: Tensor) -> bool:
    quantization = tensor.quantization
    if tensor.dtype != "int16" or quantization is None or quantization.per_channel:
        return False
    return quantization.zero_point == (0,)


def _int16_ifm_and_ofm(operator: BoundOperator) -> str | None:
    """The ifm and ofm must be int16 with one scale and zero point 0"""
    wrong = [_describe(tensor) for tensor in (operator.ifm, operator.ofm) if not _is_int16(tensor)]
    return ", ".join(wrong) or None


def _int8_weights(operator: BoundOperator) -> str | None:
    """The weights of an int16 ifm must be constant int8, symmetric, with one scale or one per ofm channel"""
    weights = operator.weights
    quantization = weights.quantization
    if not weights.is_constant or weights.dtype != "int8" or quantization is None:
        return f"{'' if weights.is_constant else 'activations, '}{_describe(weights)}"
    if any(quantization.zero_point):
        return "a zero point other than 0"
    channel_axis = 3 if operator.kind == "DEPTHWISE_CONV_2D" else 0
    if quantization.per_channel and quantization.axis != channel_axis:
        return f"scales along dimension {quantization.axis}"
    return None


def _one_scale(operator: BoundOperator) -> str | None:
    """The weights of FULLY_CONNECTED must have one scale"""
    quantization = operator.weights.quantization
    return "several" if quantization is not None and quantization.per_channel else None


def _int64_bias(operator: BoundOperator) -> str | None:
    """There must be a bias, constant int64 of 47 bits with one value per ofm channel"""
    bias, channels = operator.bias, operator.ofm.shape[-1:]
    if bias is None:
        return "none"
    if not bias.is_constant or bias.dtype != "int64" or channels != (bias.size,):
        return f"{bias.dtype} of shape {bias.shape} for an ofm of shape {operator.ofm.shape}"
    largest = max(int(bias.constant.max()), -int(bias.constant.min()) - 1)
    return f"{largest}" if largest >= 1 << _BIAS_BITS - 1 else None


def _rescale(operator: BoundOperator) -> str | None:
    """The scales must give a rescaling factor below 2**7"""
    try:
        shifts = convolution_rescale(operator).shift
    except ValueError as error:
        return str(error)
    return f"one up to 2**{max(shifts)}" if max(shifts) > LARGEST_SHIFT else None


def _activation(operator: BoundOperator) -> str | None:
    """The bounds of the activation must be representable in steps of the ofm's scale"""
    try:
        activation_range(getattr(operator.attributes, "activation", "NONE"), operator.ofm)
    except ValueError as error:
        return str(error)
    return None


def _same_numbers(operator: BoundOperator) -> str | None:
    """The ofm must have the ifm's scale"""
    ifm, ofm = operator.ifm, operator.ofm
    return None if ifm.quantization == ofm.quantization else f"{ifm.scale} in, {ofm.scale} out"


def _integers(operator: BoundOperator) -> str | None:
    """The ifm and the weights must be int8 or int16 without a zero point, the weights constant, the ofm int64"""
    ifm, weights, ofm = operator.ifm, operator.weights, operator.ofm
    for tensor in (ifm, weights):
        if tensor.dtype not in ("int8", "int16") or tensor.fixed_point is not None:
            return _describe(tensor)
        if tensor.quantization is not None and any(tensor.quantization.zero_point):
            return f"a zero point in {tensor.name!r}"
    if not weights.is_constant:
        return f"activations {weights.name!r}"
    return None if ofm.dtype == "int64" else _describe(ofm)


def _products(operator: BoundOperator) -> str | None:
    """A sum must be of at most 4,194,304 products"""
    depth = operator.weights.shape[-1]
    return None if depth <= _MOST_PRODUCTS else f"{depth}"


_CONVOLUTION: tuple[tuple[Rule, ...], ...] = (
    (operand_count(2, 3),),
    (_int16_ifm_and_ofm, _int8_weights),
    (output_shape, _int64_bias, _rescale, _activation),
)

INT16_RULES: dict[str, tuple[tuple[Rule, ...], ...]] = {
    "CONV_2D": _CONVOLUTION,
    "DEPTHWISE_CONV_2D": _CONVOLUTION,
    "FULLY_CONNECTED": (*_CONVOLUTION, (_one_scale,)),
    "MATRIX_PRODUCT": ((operand_count(2, 2),), (_integers,), (output_shape, _products)),
    "RESHAPE": ((operand_count(1, 2),), (_int16_ifm_and_ofm,), (output_shape, _same_numbers)),
}
"""The rules of each kind of operator, in groups."""
