"""What an operator must look like to be imported and run by the reference kernels.

A rule is one function: its docstring is the rule as the user reads it, in messages and in the table of
supported operators, and it returns what was found instead, or None when the operator keeps it.
"""

from .attributes import (
    ConvAttributes,
    DepthwiseAttributes,
    ElementwiseAttributes,
    FullyConnectedAttributes,
    PoolAttributes,
)
from .common_rules import Rule, operand_count, output_shape, rank_at_most_4
from .fixed_point_rules import FIXED_POINT_RULES
from .graph import BoundOperator, Tensor
from .int16_rules import INT16_RULES
from .quantization import (
    activation_range,
    addition_rescale,
    convolution_rescale,
    multiplication_rescale,
    requantization_rescale,
    sigmoid_rescale,
    softmax_rescale,
)

__all__ = ["RULES", "Rule", "broken_rules", "rule_texts"]

_MAXIMUM_SHIFT = 30
_BIAS_TOLERANCE = 0.02
_MAXIMUM_SOFTMAX_DEPTH = 4095
_SMALLEST_FLOAT_STEP = 2.0**-24
_POOL_SCALE_TOLERANCE = 1e-6


def broken_rules(operator: BoundOperator) -> list[str]:
    """Every reason why the operator cannot be run, in the order of the rules; empty when it can.

    The rules come in groups; a group is only asked when those before it hold, since it may rely on them.
    """
    rules = FIXED_POINT_RULES if operator.has_binary_points else RULES
    if operator.is_wide and operator.kind in INT16_RULES:
        rules = INT16_RULES
    if operator.kind not in rules:
        return [f"{operator.kind} is not supported{' with binary points' * (rules is FIXED_POINT_RULES)}"]
    for group in rules[operator.kind]:
        reasons = [
            f"{rule.__doc__} (found {found})" for rule in group if (found := rule(operator)) is not None
        ]
        if reasons:
            return reasons
    return []


def rule_texts(kind: str) -> list[str]:
    """The rules of a kind of operator as sentences, in order; empty when the kind is not supported."""
    return [rule.__doc__ or "" for group in RULES.get(kind, ()) for rule in group]


def _describe(tensor: Tensor) -> str:
    if tensor.quantization is None:
        return f"{tensor.dtype} without quantisation in {tensor.name!r}"
    return f"{tensor.dtype} with {len(tensor.quantization.scale)} scales in {tensor.name!r}"


def _per_tensor(tensor: Tensor, *dtypes: str) -> bool:
    quantization = tensor.quantization
    return tensor.dtype in dtypes and quantization is not None and not quantization.per_channel


def _all_operands(operator: BoundOperator) -> str | None:
    """No input may be absent"""
    return "an absent one" if None in operator.inputs else None


def _int8_ifm_and_ofm(operator: BoundOperator) -> str | None:
    """The ifm and ofm must be int8 with one scale and zero point"""
    wrong = [_describe(tensor) for tensor in (operator.ifm, operator.ofm) if not _per_tensor(tensor, "int8")]
    return ", ".join(wrong) or None


def _int8_everywhere(operator: BoundOperator) -> str | None:
    """All inputs and the ofm must be int8 with one scale and zero point"""
    tensors = (*operator.operands, operator.ofm)
    return ", ".join(_describe(tensor) for tensor in tensors if not _per_tensor(tensor, "int8")) or None


def _int8_weights(operator: BoundOperator) -> str | None:
    """The weights must be constant int8, symmetric, with one scale or one per ofm channel"""
    weights = operator.weights
    quantization = weights.quantization
    if not weights.is_constant:
        return f"activations {weights.name!r}"
    if weights.dtype != "int8" or quantization is None:
        return _describe(weights)
    if any(quantization.zero_point):
        return "a zero point other than 0"
    channel_axis = 3 if operator.kind == "DEPTHWISE_CONV_2D" else 0
    if quantization.per_channel and quantization.axis != channel_axis:
        return f"scales along dimension {quantization.axis}"
    return None


def _int32_bias(operator: BoundOperator) -> str | None:
    """A bias must be constant int32 with one value per ofm channel"""
    bias, channels = operator.bias, operator.ofm.shape[-1:]
    if bias is None:
        return None
    if not bias.is_constant:
        return f"activations {bias.name!r}"
    if bias.dtype != "int32" or channels != (bias.size,):
        return f"{bias.dtype} of shape {bias.shape} for an ofm of shape {operator.ofm.shape}"
    return None


def _bias_scale(operator: BoundOperator) -> str | None:
    """The bias's scale must be the ifm's times the weights', within 2 % of the ofm's"""
    bias, weights = operator.bias, operator.weights.quantization
    if bias is None or weights is None or weights.per_channel:
        return None
    scale = bias.quantization.scale[0] if bias.quantization is not None else 0.0
    product = operator.ifm.scale * weights.scale[0]
    return None if abs(product - scale) / operator.ofm.scale <= _BIAS_TOLERANCE else f"{scale}, not {product}"


def _all_quantizations(operator: BoundOperator) -> str | None:
    """The ofm must have the scale and zero point of every input"""
    ofm = operator.ofm
    for tensor in operator.operands:
        if tensor.quantization != ofm.quantization:
            return f"{_numbers(tensor)} in, {_numbers(ofm)} out"
    return None


def _numbers(tensor: Tensor) -> str:
    quantization = tensor.quantization
    if quantization is None:
        return tensor.dtype
    return f"{tensor.dtype} of scale {quantization.scale[0]} and zero point {quantization.zero_point[0]}"


def _ifm_quantization(operator: BoundOperator) -> str | None:
    """The ofm must have the ifm's data type, scale and zero point"""
    ifm, ofm = operator.ifm, operator.ofm
    if ifm.dtype == ofm.dtype and ifm.quantization == ofm.quantization:
        return None
    return f"{_numbers(ifm)} in, {_numbers(ofm)} out"


def _pool_quantization(operator: BoundOperator) -> str | None:
    """The ifm and ofm must have the same zero point and scales that differ by at most 1e-6"""
    ifm, ofm = operator.ifm, operator.ofm
    if abs(ifm.scale - ofm.scale) <= _POOL_SCALE_TOLERANCE and ifm.zero_point == ofm.zero_point:
        return None
    return f"{_numbers(ifm)} in, {_numbers(ofm)} out"


def _activation(operator: BoundOperator) -> str | None:
    """The bounds of the activation must be representable in steps of the ofm's scale"""
    attributes = operator.attributes
    if isinstance(
        attributes,
        ConvAttributes
        | DepthwiseAttributes
        | FullyConnectedAttributes
        | ElementwiseAttributes
        | PoolAttributes,
    ):
        try:
            activation_range(attributes.activation, operator.ofm)
        except ValueError as error:
            return str(error)
    return None


def _rescale(operator: BoundOperator) -> str | None:
    """The scales must give a rescaling factor below 2**30"""
    derive = {
        "CONV_2D": convolution_rescale,
        "DEPTHWISE_CONV_2D": convolution_rescale,
        "FULLY_CONNECTED": convolution_rescale,
        "MUL": multiplication_rescale,
    }.get(operator.kind, requantization_rescale)
    try:
        shifts = derive(operator).shift
    except ValueError as error:
        return str(error)
    return f"one up to 2**{max(shifts)}" if max(shifts) > _MAXIMUM_SHIFT else None


def _addition_scales(operator: BoundOperator) -> str | None:
    """Twice the larger input scale must be below 2**20 times the ofm's"""
    try:
        addition_rescale(operator)
    except ValueError as error:
        return str(error)
    return None


def _softmax_scales(operator: BoundOperator) -> str | None:
    """The ofm must have scale 1/256 and zero point -128, and beta times the ifm's scale be above 2**-26"""
    if operator.ofm.scale != 1 / 256 or operator.ofm.zero_point != -128:
        return _numbers(operator.ofm)
    try:
        softmax_rescale(operator)
    except ValueError as error:
        return str(error)
    return None


def _softmax_depth(operator: BoundOperator) -> str | None:
    """The last dimension must be at most 4095, so that the sum of exponentials fits 32 bits"""
    depth = operator.ifm.shape[-1] if operator.ifm.shape else 0
    return None if 1 <= depth <= _MAXIMUM_SOFTMAX_DEPTH else f"{depth}"


def _logistic_scales(operator: BoundOperator) -> str | None:
    """The ofm must have scale 1/256 and zero point -128"""
    fits = operator.ofm.scale == 1 / 256 and operator.ofm.zero_point == -128
    return None if fits else _numbers(operator.ofm)


def _tanh_scales(operator: BoundOperator) -> str | None:
    """The ofm must have scale 1/128 and zero point 0"""
    fits = operator.ofm.scale == 1 / 128 and operator.ofm.zero_point == 0
    return None if fits else _numbers(operator.ofm)


def _sigmoid_scale(operator: BoundOperator) -> str | None:
    """The ifm's scale must be in 2**-28..2**30"""
    try:
        sigmoid_rescale(operator)
    except ValueError as error:
        return str(error)
    return None


def _quantize_types(operator: BoundOperator) -> str | None:
    """It must go from float32 to int8, or between int8 and int8 or uint8, with one scale and zero point"""
    ifm, ofm = operator.ifm, operator.ofm
    if ifm.dtype == "float32" and _per_tensor(ofm, "int8"):
        return None
    if _per_tensor(ifm, "int8") and _per_tensor(ofm, "int8", "uint8"):
        return None
    if _per_tensor(ifm, "uint8") and _per_tensor(ofm, "int8"):
        return None
    return f"{_describe(ifm)}, {_describe(ofm)}"


def _quantize_rescale(operator: BoundOperator) -> str | None:
    """The scales must give a rescaling factor below 2**30"""
    return None if operator.ifm.dtype == "float32" else _rescale(operator)


def _quantize_scale(operator: BoundOperator) -> str | None:
    """From float32, the ofm's scale must be at least 2**-24, so that values up to 128 take steps that fit 32 bits"""
    fits = operator.ifm.dtype != "float32" or operator.ofm.scale >= _SMALLEST_FLOAT_STEP
    return None if fits else f"{operator.ofm.scale}"


def _pad_value(operator: BoundOperator) -> str | None:
    """The value must have the ofm's data type, scale and zero point"""
    value, ofm = operator.operand(2), operator.ofm
    if value.dtype == ofm.dtype and value.quantization == ofm.quantization:
        return None
    return f"{_numbers(value)} for {_numbers(ofm)}"


def _reshape_types(operator: BoundOperator) -> str | None:
    """The ifm and ofm must be float32, or int8 with one scale and zero point"""
    tensors = (operator.ifm, operator.ofm)
    wrong = [
        _describe(tensor)
        for tensor in tensors
        if tensor.dtype != "float32" and not _per_tensor(tensor, "int8")
    ]
    return ", ".join(wrong) or None


def _dequantize_types(operator: BoundOperator) -> str | None:
    """It must go from int8, with one scale and zero point, to float32"""
    ifm, ofm = operator.ifm, operator.ofm
    return (
        None if _per_tensor(ifm, "int8") and ofm.dtype == "float32" else f"{_describe(ifm)}, {_describe(ofm)}"
    )


_CONVOLUTION: tuple[tuple[Rule, ...], ...] = (
    (operand_count(2, 3),),
    (_int8_ifm_and_ofm, _int8_weights),
    (output_shape, _int32_bias, _rescale, _activation),
)
_ADDITION: tuple[tuple[Rule, ...], ...] = (
    (operand_count(2, 2),),
    (_int8_everywhere, rank_at_most_4),
    (output_shape, _addition_scales, _activation),
)
_POOLING: tuple[tuple[Rule, ...], ...] = (
    (operand_count(1, 1),),
    (_int8_ifm_and_ofm,),
    (output_shape, _pool_quantization, _activation),
)

RULES: dict[str, tuple[tuple[Rule, ...], ...]] = {
    "ADD": _ADDITION,
    "AVERAGE_POOL_2D": _POOLING,
    "CONCATENATION": (
        (operand_count(1, 10), _all_operands),
        (_int8_everywhere, rank_at_most_4),
        (output_shape, _all_quantizations),
    ),
    "CONV_2D": _CONVOLUTION,
    "DEPTHWISE_CONV_2D": _CONVOLUTION,
    "DEQUANTIZE": ((operand_count(1, 1),), (_dequantize_types,), (output_shape,)),
    "FULLY_CONNECTED": (
        (operand_count(2, 3),),
        (_int8_ifm_and_ofm, _int8_weights),
        (output_shape, _int32_bias, _bias_scale, _rescale, _activation),
    ),
    "LOGISTIC": (
        (operand_count(1, 1),),
        (_int8_ifm_and_ofm,),
        (output_shape, _logistic_scales, _sigmoid_scale),
    ),
    "MAX_POOL_2D": _POOLING,
    "MEAN": ((operand_count(2, 2),), (_int8_ifm_and_ofm, rank_at_most_4), (output_shape, _rescale)),
    "MUL": (
        (operand_count(2, 2),),
        (_int8_everywhere, rank_at_most_4),
        (output_shape, _rescale, _activation),
    ),
    "PAD": (
        (operand_count(2, 2),),
        (_int8_ifm_and_ofm, rank_at_most_4),
        (output_shape, _ifm_quantization),
    ),
    "PADV2": (
        (operand_count(3, 3),),
        (_int8_ifm_and_ofm, rank_at_most_4),
        (output_shape, _ifm_quantization, _pad_value),
    ),
    "QUANTIZE": (
        (operand_count(1, 1),),
        (_quantize_types,),
        (output_shape, _quantize_rescale, _quantize_scale),
    ),
    "RELU": ((operand_count(1, 1),), (_int8_ifm_and_ofm,), (output_shape, _rescale)),
    "RELU6": ((operand_count(1, 1),), (_int8_ifm_and_ofm,), (output_shape, _ifm_quantization)),
    "RESHAPE": ((operand_count(1, 2),), (_reshape_types,), (output_shape, _ifm_quantization)),
    "SOFTMAX": (
        (operand_count(1, 1),),
        (_int8_ifm_and_ofm,),
        (output_shape, _softmax_scales, _softmax_depth),
    ),
    "SUB": _ADDITION,
    "TANH": ((operand_count(1, 1),), (_int8_ifm_and_ofm,), (output_shape, _tanh_scales, _sigmoid_scale)),
}
"""The rules of each kind of operator, in groups."""
