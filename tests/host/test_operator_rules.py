"""Each rule refuses what it says, in its own words; what keeps all of them passes."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from celosia.host.attributes import (
    Attributes,
    ConcatenationAttributes,
    ElementwiseAttributes,
    FullyConnectedAttributes,
    MeanAttributes,
    NoAttributes,
    PadAttributes,
    PoolAttributes,
    SoftmaxAttributes,
)
from celosia.host.graph import BoundOperator, Quantization, Tensor
from celosia.host.operator_rules import RULES, broken_rules, rule_texts

POOL = PoolAttributes((2, 2), (2, 2), "VALID", "NONE")


def int8(*shape: int, scale: float = 0.5, zero_point: int = 0) -> Tensor:
    return Tensor("t", shape, "int8", Quantization((scale,), (zero_point,)))


def per_channel(*shape: int) -> Tensor:
    return Tensor("t", shape, "int8", Quantization((0.5,) * shape[-1], (0,) * shape[-1], len(shape) - 1))


def plain(dtype: str, *shape: int) -> Tensor:
    return Tensor("t", shape, dtype)


def bias(scale: float) -> Tensor:
    return Tensor("b", (2,), "int32", Quantization((scale,), (0,)), np.zeros(2, np.int32))


WEIGHTS = Tensor("w", (2, 3), "int8", Quantization((0.5,), (0,)), np.zeros((2, 3), np.int8))


@dataclass(frozen=True)
class Case:
    """A kind of operator that passes, and what each rule is broken with."""

    kind: str
    inputs: tuple[Tensor | None, ...]
    ofm: Tensor
    attributes: Attributes = field(default_factory=NoAttributes)

    def reasons(self) -> list[str]:
        """What is wrong with the operator."""
        return broken_rules(BoundOperator(self.kind, 0, self.attributes, self.inputs, (self.ofm,)))


ADD = Case("ADD", (int8(1, 4), int8(1, 4)), int8(1, 4), ElementwiseAttributes("NONE"))
AVERAGE = Case("AVERAGE_POOL_2D", (int8(1, 4, 4, 3),), int8(1, 2, 2, 3), POOL)
CONCATENATION = Case("CONCATENATION", (int8(1, 4), int8(1, 2)), int8(1, 6), ConcatenationAttributes(1))
DEQUANTIZE = Case("DEQUANTIZE", (int8(4),), plain("float32", 4))
DENSE = Case(
    "FULLY_CONNECTED", (int8(1, 3), WEIGHTS, bias(0.25)), int8(1, 2), FullyConnectedAttributes("NONE")
)
LOGISTIC = Case("LOGISTIC", (int8(4),), int8(4, scale=1 / 256, zero_point=-128))
MEAN = Case("MEAN", (int8(1, 4, 4, 3), plain("int32", 2)), int8(1, 3), MeanAttributes((1, 2), False))
MUL = replace(ADD, kind="MUL")
PAD = Case("PAD", (int8(2, 2), plain("int32", 2, 2)), int8(3, 4), PadAttributes((0, 1), (1, 1), 0))
PADV2 = replace(PAD, kind="PADV2", inputs=(int8(2, 2), plain("int32", 2, 2), int8()))
QUANTIZE = Case("QUANTIZE", (plain("float32", 4),), int8(4))
RELU = Case("RELU", (int8(4),), int8(4, scale=0.25))
RELU6 = Case("RELU6", (int8(4),), int8(4))
RESHAPE = Case("RESHAPE", (int8(2, 6),), int8(3, 4))
SOFTMAX = Case("SOFTMAX", (int8(1, 4),), int8(1, 4, scale=1 / 256, zero_point=-128), SoftmaxAttributes(1.0))
TANH = Case("TANH", (int8(4),), int8(4, scale=1 / 128))

PASSING = (
    ADD,
    AVERAGE,
    CONCATENATION,
    DEQUANTIZE,
    DENSE,
    LOGISTIC,
    MEAN,
    MUL,
    PAD,
    PADV2,
    QUANTIZE,
    RELU,
    RELU6,
    RESHAPE,
    SOFTMAX,
    TANH,
)


@pytest.mark.parametrize("case", PASSING, ids=lambda case: case.kind)
def test_an_operator_that_keeps_every_rule_passes(case: Case) -> None:
    assert case.reasons() == []


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (
            replace(ADD, inputs=(int8(1, 4),)),
            "There must be 2 inputs and 1 output (found 1 inputs and 1 outputs)",
        ),
        (
            replace(ADD, inputs=(int8(1, 4), plain("int8", 1, 4))),
            "All inputs and the ofm must be int8 with one scale and zero point "
            "(found int8 without quantisation in 't')",
        ),
        (
            replace(ADD, inputs=(int8(1, 4), per_channel(1, 4))),
            "All inputs and the ofm must be int8 with one scale and zero point (found int8 with 4 scales in 't')",
        ),
        (
            replace(ADD, inputs=(int8(1, 1, 1, 1, 4), int8(4)), ofm=int8(1, 1, 1, 1, 4)),
            "Tensors must have at most 4 dimensions (found 5)",
        ),
        (
            replace(ADD, ofm=int8(1, 4, scale=2**-21)),
            "Twice the larger input scale must be below 2**20 times the ofm's "
            "(found the ofm's scale must be above 9.5367431640625e-07)",
        ),
        (
            replace(ADD, ofm=int8(1, 5)),
            "The ofm must have the shape that the inputs give (found (1, 5), not (1, 4))",
        ),
        (
            replace(MUL, ofm=int8(1, 4, scale=2**-32)),
            "The scales must give a rescaling factor below 2**30 (found one up to 2**31)",
        ),
        (
            replace(AVERAGE, ofm=int8(1, 2, 2, 3, scale=0.51)),
            "The ifm and ofm must have the same zero point and scales that differ by at most 1e-6 (found int8 of scale "
            "0.5 and zero point 0 in, int8 of scale 0.51 and zero point 0 out)",
        ),
        (
            replace(CONCATENATION, inputs=(int8(1, 4), int8(1, 2, zero_point=1))),
            "The ofm must have the scale and zero point of every input (found int8 of scale 0.5 and zero point 1 in, "
            "int8 of scale 0.5 and zero point 0 out)",
        ),
        (replace(CONCATENATION, inputs=(int8(1, 4), None)), "No input may be absent (found an absent one)"),
        (
            replace(DENSE, inputs=(int8(1, 3), WEIGHTS, bias(0.5))),
            "The bias's scale must be the ifm's times the weights', within 2 % of the ofm's (found 0.5, not 0.25)",
        ),
        (
            replace(DEQUANTIZE, inputs=(plain("float32", 4),)),
            "It must go from int8, with one scale and zero point, to float32 (found float32 without quantisation "
            "in 't', float32 without quantisation in 't')",
        ),
        (
            replace(LOGISTIC, ofm=int8(4, scale=1 / 128)),
            "The ofm must have scale 1/256 and zero point -128 (found int8 of scale 0.0078125 and zero point 0)",
        ),
        (
            replace(LOGISTIC, inputs=(int8(4, scale=2.0**-29),)),
            "The ifm's scale must be in 2**-28..2**30 (found the ifm's scale must be in 2**-28..2**30, "
            "not 1.862645149230957e-09)",
        ),
        (
            replace(PADV2, inputs=(int8(2, 2), plain("int32", 2, 2), int8(zero_point=1))),
            "The value must have the ofm's data type, scale and zero point (found int8 of scale 0.5 and zero point 1 "
            "for int8 of scale 0.5 and zero point 0)",
        ),
        (
            replace(QUANTIZE, ofm=int8(4, scale=2.0**-25)),
            "From float32, the ofm's scale must be at least 2**-24, so that values up to 128 take steps that fit 32 "
            "bits (found 2.9802322387695312e-08)",
        ),
        (
            replace(TANH, ofm=int8(4, scale=1 / 256)),
            "The ofm must have scale 1/128 and zero point 0 (found int8 of scale 0.00390625 and zero point 0)",
        ),
        (
            replace(PAD, ofm=int8(3, 4, zero_point=1)),
            "The ofm must have the ifm's data type, scale and zero point (found int8 of scale 0.5 and zero point 0 in, "
            "int8 of scale 0.5 and zero point 1 out)",
        ),
        (
            replace(QUANTIZE, inputs=(plain("int32", 4),)),
            "It must go from float32 to int8, or between int8 and int8 or uint8, with one scale and zero point (found "
            "int32 without quantisation in 't', int8 with 1 scales in 't')",
        ),
        (
            replace(RELU6, ofm=int8(4, scale=0.25)),
            "The ofm must have the ifm's data type, scale and zero point (found int8 of scale 0.5 and zero point 0 in, "
            "int8 of scale 0.25 and zero point 0 out)",
        ),
        (
            replace(RESHAPE, inputs=(plain("int32", 2, 6),)),
            "The ifm and ofm must be float32, or int8 with one scale and zero point (found int32 without quantisation "
            "in 't')",
        ),
        (
            replace(SOFTMAX, ofm=int8(1, 4)),
            "The ofm must have scale 1/256 and zero point -128, and beta times the ifm's scale be above 2**-26 (found "
            "int8 of scale 0.5 and zero point 0)",
        ),
        (
            replace(SOFTMAX, attributes=SoftmaxAttributes(2.0**-30)),
            "The ofm must have scale 1/256 and zero point -128, and beta times the ifm's scale be above 2**-26 (found "
            "beta times the ifm's scale must be above 2**-26)",
        ),
        (
            replace(SOFTMAX, inputs=(int8(1, 5000),), ofm=int8(1, 5000, scale=1 / 256, zero_point=-128)),
            "The last dimension must be at most 4095, so that the sum of exponentials fits 32 bits (found 5000)",
        ),
        (replace(TANH, kind="GELU"), "GELU is not supported"),
    ],
    ids=lambda value: value.kind if isinstance(value, Case) else "",
)
def test_a_broken_rule_is_the_reason(case: Case, reason: str) -> None:
    assert case.reasons() == [reason]


def test_every_rule_is_a_sentence_about_its_operator() -> None:
    for kind in RULES:
        assert rule_texts(kind)
        for text in rule_texts(kind):
            assert text[0].isupper()
            assert " must " in text or " may " in text
    assert rule_texts("GELU") == []
