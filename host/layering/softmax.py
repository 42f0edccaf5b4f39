"""SOFTMAX as a layer."""

import numpy as np

from celosia.generators.chassis.layer import Layer, LayerKind, Requantization

from ..graph import BoundOperator
from ..quantization import softmax_rescale
from ..reference.activation import softmax_exponentials
from .context import Source
from .views import view


def softmax_layers(operator: BoundOperator, source: Source) -> list[Layer]:
    """SOFTMAX is one layer; exponentials depend on the difference to the maximum alone, so that a table has them."""
    shape = view(operator.ofm.shape)
    exponentials = softmax_exponentials(softmax_rescale(operator), -np.arange(256))
    return [
        Layer(
            name=operator.name,
            operator=operator.index,
            kind=LayerKind.SOFTMAX,
            ifm=source.maps[0],
            ofm=source.ofm,
            ifm_shape=shape,
            ofm_shape=shape,
            requantization=Requantization.identity(shape.channels),
            exponentials=exponentials.astype(np.int32),
        )
    ]
