"""What every builder of layers shares."""

from dataclasses import dataclass

import numpy as np

from celosia.generators.chassis.layer import Layer, LayerKind, MapShape, Requantization, Window

from ..graph import Graph, Operator, Tensor
from ..quantization import Rescale


class EngineRefusal(ValueError):
    """An operator that no layer expresses. `reasons` lists every one."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Source:
    """The operator that layers are built for, the feature maps it reads and writes, and the channels of a brick."""

    graph: Graph
    operator: Operator
    maps: tuple[str, ...]
    ofm: str
    brick_channels: int


def requantization(
    rescale: Rescale, bias: np.ndarray | int, ofm: Tensor, bounds: tuple[int, int], channels: int
) -> Requantization:
    """The output stage: one multiplier and shift for all channels, or one each; `bias` wraps to int32."""
    return Requantization(
        bias=np.broadcast_to(np.asarray(bias, np.int64), (channels,)).astype(np.int32),
        multiplier=np.broadcast_to(np.array(rescale.multiplier, np.int64), (channels,)).astype(np.int32),
        shift=np.broadcast_to(np.array(rescale.shift, np.int64), (channels,)).astype(np.int8),
        zero_point=ofm.zero_point,
        minimum=bounds[0],
        maximum=bounds[1],
    )


def copy_layer(
    name: str,
    operator: int,
    ifm: str,
    ofm: str,
    shape: MapShape,
    *,
    ifm_shape: MapShape | None = None,
    table: np.ndarray | None = None,
    window: Window | None = None,
    pad_value: int = 0,
    offset: tuple[int, int, int] = (0, 0, 0),
) -> Layer:
    """A layer that moves bytes unchanged, or each through `table`, to `offset` (y, x, channel) of the ofm."""
    return Layer(
        name=name,
        operator=operator,
        kind=LayerKind.MAXIMUM,
        ifm=ifm,
        ofm=ofm,
        ifm_shape=ifm_shape or shape,
        ofm_shape=shape,
        requantization=Requantization.identity(shape.channels, table),
        window=window or Window(),
        pad_value=pad_value,
        ofm_y=offset[0],
        ofm_x=offset[1],
        ofm_channel=offset[2],
    )
