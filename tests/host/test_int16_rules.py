"""Each rule of operators with int16 activations refuses what it says; what keeps all of them passes."""

from dataclasses import replace

import numpy as np
import pytest

from celosia.host.attributes import ConvAttributes, FullyConnectedAttributes, NoAttributes
from celosia.host.graph import BoundOperator, Quantization, Tensor
from celosia.host.operator_rules import broken_rules

ONE = Quantization((0.5,), (0,))
IFM = Tensor("ifm", (1, 3), "int16", ONE)
OFM = Tensor("ofm", (1, 2), "int16", ONE)
WEIGHTS = Tensor("weights", (2, 3), "int8", ONE, np.zeros((2, 3), np.int8))
BIAS = Tensor("bias", (2,), "int64", ONE, np.zeros(2, np.int64))
DENSE = BoundOperator("FULLY_CONNECTED", 0, FullyConnectedAttributes("NONE"), (IFM, WEIGHTS, BIAS), (OFM,))
KERNELS = Tensor("weights", (2, 1, 1, 3), "int8", ONE, np.zeros((2, 1, 1, 3), np.int8))
CONVOLUTION = BoundOperator(
    "CONV_2D",
    0,
    ConvAttributes((1, 1), (1, 1), "SAME", "NONE"),
    (replace(IFM, shape=(1, 1, 1, 3)), KERNELS, BIAS),
    (replace(OFM, shape=(1, 1, 1, 2)),),
)
PRODUCT = BoundOperator(
    "MATRIX_PRODUCT", 0, NoAttributes(), (IFM, WEIGHTS), (Tensor("ofm", (1, 2), "int64"),)
)
RESHAPE = BoundOperator("RESHAPE", 0, NoAttributes(), (IFM,), (replace(OFM, shape=(3, 1)),))


def with_inputs(operator: BoundOperator, *inputs: Tensor | None) -> BoundOperator:
    return replace(operator, inputs=inputs)


@pytest.mark.parametrize("operator", [DENSE, CONVOLUTION, PRODUCT, RESHAPE], ids=lambda one: one.kind)
def test_an_operator_that_keeps_every_rule_passes(operator: BoundOperator) -> None:
    assert broken_rules(operator) == []


SEVERAL = Quantization((0.5, 0.25), (0, 0), 0)


@pytest.mark.parametrize(
    ("operator", "reason"),
    [
        (
            replace(DENSE, outputs=(replace(OFM, dtype="int8"),)),
            "The ifm and ofm must be int16 with one scale and zero point 0 (found int8 in 'ofm')",
        ),
        (
            with_inputs(DENSE, replace(IFM, quantization=Quantization((0.5,), (7,))), WEIGHTS, BIAS),
            "The ifm and ofm must be int16 with one scale and zero point 0 (found int16 in 'ifm')",
        ),
        (
            with_inputs(DENSE, IFM, replace(WEIGHTS, data=None), BIAS),
            "The weights of an int16 ifm must be constant int8, symmetric, with one scale or one per ofm channel "
            "(found activations, int8 in 'weights')",
        ),
        (
            with_inputs(DENSE, IFM, replace(WEIGHTS, quantization=Quantization((0.5,), (1,))), BIAS),
            "The weights of an int16 ifm must be constant int8, symmetric, with one scale or one per ofm channel "
            "(found a zero point other than 0)",
        ),
        (
            with_inputs(DENSE, IFM, replace(WEIGHTS, quantization=SEVERAL), BIAS),
            "The weights of FULLY_CONNECTED must have one scale (found several)",
        ),
        (
            with_inputs(DENSE, IFM, WEIGHTS),
            "There must be a bias, constant int64 of 47 bits with one value per ofm channel (found none)",
        ),
        (
            with_inputs(DENSE, IFM, WEIGHTS, replace(BIAS, dtype="int32", data=np.zeros(2, np.int32))),
            "There must be a bias, constant int64 of 47 bits with one value per ofm channel "
            "(found int32 of shape (2,) for an ofm of shape (1, 2))",
        ),
        (
            with_inputs(DENSE, IFM, WEIGHTS, replace(BIAS, data=np.array([0, 1 << 46]))),
            "There must be a bias, constant int64 of 47 bits with one value per ofm channel "
            f"(found {1 << 46})",
        ),
        (
            replace(DENSE, outputs=(replace(OFM, quantization=Quantization((0.001,), (0,))),)),
            "The scales must give a rescaling factor below 2**7 (found one up to 2**8)",
        ),
        (
            with_inputs(PRODUCT, replace(IFM, quantization=Quantization((0.5,), (3,))), WEIGHTS),
            "The ifm and the weights must be int8 or int16 without a zero point, the weights constant, the ofm int64 "
            "(found a zero point in 'ifm')",
        ),
        (
            replace(PRODUCT, outputs=(Tensor("ofm", (1, 2), "int32"),)),
            "The ifm and the weights must be int8 or int16 without a zero point, the weights constant, the ofm int64 "
            "(found int32 without quantisation in 'ofm')",
        ),
        (
            with_inputs(PRODUCT, replace(IFM, shape=(1, 4)), WEIGHTS),
            "The ofm must have the shape that the inputs give "
            "(found the ifm's last dimension must be 3, not shape (1, 4))",
        ),
        (
            replace(RESHAPE, outputs=(Tensor("ofm", (3, 1), "int16", Quantization((0.25,), (0,))),)),
            "The ofm must have the ifm's scale (found 0.5 in, 0.25 out)",
        ),
    ],
)
def test_a_broken_rule_is_the_reason(operator: BoundOperator, reason: str) -> None:
    assert broken_rules(operator) == [reason]


def test_other_kinds_of_operators_say_what_they_take() -> None:
    relu = BoundOperator("RELU", 0, NoAttributes(), (IFM,), (replace(OFM, shape=(1, 3)),))
    (reason,) = broken_rules(relu)
    assert reason.startswith("The ifm and ofm must be int8 with one scale and zero point")
