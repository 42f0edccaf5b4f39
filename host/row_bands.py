"""A feature map of several writers too large for the buffer, assembled and stored in bands of its rows.

The layers that write such a map are cut by rows: all that contribute to a band run one after another, and
the band is stored before the next one is begun. A band is a map of its own, whose place in memory is a part
of the whole map's; what reads the map finds it there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from celosia.generators.chassis.layer import ELEMENTWISE, Layer, MapShape
from celosia.generators.chassis.placement import MemoryTensor


@dataclass(frozen=True, slots=True)
class Band:
    """Rows low..high-1 of the map `whole`."""

    whole: str
    low: int
    high: int

    @property
    def name(self) -> str:
        """Of the band as a map."""
        return f"{self.whole}, rows {self.low}..{self.high - 1}"

    def within(self, whole: MemoryTensor) -> MemoryTensor:
        """The part of the whole map's memory that is the band's."""
        shape = whole.shape
        rows = MapShape(self.high - self.low, shape.width, shape.channels)
        offset = whole.offset + self.low * whole.row_bytes
        return MemoryTensor(whole.region, offset, rows, whole.element_bytes)


def in_bands(layers: Sequence[Layer], heights: Mapping[str, int]) -> tuple[list[Layer], list[Band]]:
    """The same layers with every map of `heights` written in bands of at most so many rows.

    Bands end where a layer's part of the map ends, too, so that a band of one operand alone has one writer: no need to
    assemble it.
    """
    result, bands = list(layers), []
    for name, height in heights.items():
        writers = [layer for layer in result if layer.ofm == name]
        parts = [Band(name, low, high) for low, high in _cuts(writers, height)]
        pieces = [_rows(writer, band) for band in parts for writer in writers if _overlap(writer, band)]
        # Nothing reads the map before it is whole, so that what runs among its writers may as well run before them.
        first = next(index for index, layer in enumerate(result) if layer.ofm == name)
        last = max(index for index, layer in enumerate(result) if layer.ofm == name)
        among = [layer for layer in result[first : last + 1] if layer.ofm != name]
        result[first : last + 1] = [*among, *pieces]
        bands += parts
    return result, bands


def can_be_cut(layers: Sequence[Layer], name: str) -> bool:
    """Whether the layers that write the map can be cut by rows: the second operand of an element-wise one cannot."""
    return all(layer.kind not in ELEMENTWISE for layer in layers if layer.ofm == name)


def _cuts(writers: Sequence[Layer], height: int) -> list[tuple[int, int]]:
    edges = sorted(
        {layer.ofm_y for layer in writers} | {layer.ofm_y + layer.ofm_shape.height for layer in writers}
    )
    return [
        (low, min(low + height, end)) for start, end in pairwise(edges) for low in range(start, end, height)
    ]


def _overlap(layer: Layer, band: Band) -> bool:
    return layer.ofm_y < band.high and band.low < layer.ofm_y + layer.ofm_shape.height


def _rows(layer: Layer, band: Band) -> Layer:
    """The layer's rows of the band; bands end at layers' ends, so that the layer has all of them."""
    shape, window = layer.ofm_shape, layer.window
    height = band.high - band.low
    return replace(
        layer,
        ofm=band.name,
        ofm_shape=MapShape(height, shape.width, shape.channels),
        ofm_y=0,
        window=replace(window, pad_top=window.pad_top - (band.low - layer.ofm_y) * window.stride_y),
        macs=layer.macs * height // shape.height,
    )
