"""What a layer's commands say: the fields of COMPUTE, and what it shares with ACTIVATE."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..layer import ELEMENTWISE, Layer
from ..layer_plan import LayerPlan
from .commands import Mode
from .tile_config import TileConfig
from .tiling import Tiling, blocks_per_brick, channel_bricks

PAD_BITS = 8
"""Of a padding value, the upper ones."""


@dataclass(frozen=True, slots=True)
class BlockRange:
    """Output blocks first..last-1: their weights and parameters are in the rings together."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class ReductionBox:
    """A part of the reduction: kernel rows, kernel column steps and channel bricks, each low..high-1."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    bricks: tuple[int, int]


def tile_count(fields: Mapping[str, int]) -> int:
    """Accumulator tiles that a COMPUTE fills, or an ACTIVATE drains."""
    columns = fields["tile_groups"] << fields["pixel_cores_log2"]
    return (
        -(-fields["output_blocks"] >> fields["block_cores_log2"])
        * -(-fields["height"] // fields["tile_rows"])
        * -(-fields["width"] // columns)
    )


def reads_of_tiles(fields: Mapping[str, int]) -> list[int]:
    """Reads of a step of COMPUTE, for every tile in order."""
    reads_per_group = 2 if fields["mode"] in (Mode.ADD, Mode.MULTIPLY) else 1
    rows = _extents(fields["height"], fields["tile_rows"])
    groups = _extents(-(-fields["width"] >> fields["pixel_cores_log2"]), fields["tile_groups"])
    block_groups = -(-fields["output_blocks"] >> fields["block_cores_log2"])
    return [height * width * reads_per_group for height in rows for width in groups] * block_groups


def _extents(total: int, part: int) -> list[int]:
    return [min(part, total - done) for done in range(0, total, part)]


def tiling_fields(layer: Layer, tiling: Tiling, height: int, width: int, blocks: int) -> dict[str, int]:
    """What COMPUTE and its ACTIVATE must agree on."""
    return {
        "pixel_cores_log2": tiling.pixel_cores.bit_length() - 1,
        "block_cores_log2": tiling.block_cores.bit_length() - 1,
        "height": height,
        "width": width,
        "tile_rows": tiling.tile_rows,
        "tile_groups": tiling.tile_groups,
        "output_blocks": blocks,
    }


def operand_fields(layer: Layer) -> dict[str, int]:
    """Which operands of a wide layer have 16 bits."""
    has_wide_weights = layer.weights is not None and layer.weights.dtype.itemsize > 1
    return {"ifm_int16": int(layer.ifm_planes > 1), "weights_int16": int(has_wide_weights)}


def whole_reduction(layer: Layer, tiling: Tiling, brick_channels: int) -> ReductionBox:
    """All of the reduction."""
    return ReductionBox(
        (0, layer.window.height),
        (0, -(-layer.window.width // tiling.taps)),
        (0, channel_bricks(layer, brick_channels)),
    )


def compute_fields(
    plan: LayerPlan,
    tiling: Tiling,
    part: BlockRange,
    stripe: tuple[int, int],
    box: ReductionBox,
    config: TileConfig,
) -> dict[str, int]:
    """COMPUTE over `box` of the reduction; `weight_address`, `accumulate` and `partial` are left to the caller.

    `x_origin` may exceed its field, see `from_first_pixel`.
    """
    layer, window = plan.layer, plan.layer.window
    ifm = plan.ifm.placement
    row = stripe[0] * window.stride_y - window.pad_top + box.rows[0] * window.dilation_y
    top, bottom = layer.row_bounds
    column = box.columns[0] * tiling.taps
    width = min(window.width, box.columns[1] * tiling.taps) - column
    per_brick = blocks_per_brick(layer, config)
    first_brick = box.bricks[0] + layer.ifm_channel // config.brick_channels
    if per_brick:
        first_brick += part.first // per_brick
    lanes = {
        "taps": tiling.taps,
        "packed_channels": tiling.packed_channels(layer),
        "window": tiling.window(layer),
    }
    fields = {
        "mode": tiling.mode,
        **tiling_fields(layer, tiling, stripe[1] - stripe[0], layer.ofm_shape.width, part.last - part.first),
        "kernel_height": box.rows[1] - box.rows[0],
        "kernel_width": width,
        "stride_y": window.stride_y,
        "stride_x": window.stride_x,
        "dilation_y": window.dilation_y,
        "dilation_x": window.dilation_x,
        **{name: value for name, value in lanes.items() if name in config.compute.names},
        **_shifted(ifm.fields("ifm_", row), "ifm_", first_brick * layer.ifm_planes * ifm.shape.width),
        "ifm_channel_pitch": ifm.shape.width * layer.ifm_planes,
        "ifm_height": bottom - top,
        "ifm_width": layer.ifm_shape.width,
        "y_origin": row - top,
        "x_origin": column * window.dilation_x - window.pad_left,
        "pad_value": layer.pad_value >> layer.operand_bits - PAD_BITS,
        "channel_bricks": box.bricks[1] - box.bricks[0],
        "blocks_per_brick": per_brick,
    }
    if layer.is_wide:
        fields |= operand_fields(layer)
        fields["ifm_plane_pitch"] = ifm.shape.width if layer.ifm_planes > 1 else 0
    if layer.kind in ELEMENTWISE and plan.ifm2 is not None:
        second = plan.ifm2.placement
        broadcast = layer.broadcast
        fields |= second.fields("ifm2_", 0 if broadcast.rows else stripe[0])
        if broadcast.rows:
            fields["ifm2_row_pitch"] = 0
        if broadcast.channels:
            fields["ifm2_channel_pitch"] = 0
        elif per_brick:
            fields = _shifted(fields, "ifm2_", part.first // per_brick * second.shape.width)
        if layer.alignment is not None:
            fields |= layer.alignment.fields
        fields["ifm2_broadcast_x"] = int(broadcast.pixels)
        fields["ifm2_broadcast_channels"] = int(broadcast.channels)
    return fields


def _shifted(fields: dict[str, int], prefix: str, bricks: int) -> dict[str, int]:
    """The same map seen from `bricks` further on: pointers and ring end move together."""
    moved = {f"{prefix}row": (fields[f"{prefix}row"] + bricks) & 0xFFFF}
    if fields[f"{prefix}ring_size"]:
        moved[f"{prefix}ring_end"] = fields[f"{prefix}ring_end"] + bricks
    return {**fields, **moved}


def from_first_pixel(fields: dict[str, int]) -> dict[str, int]:
    """The same with the ifm's rows cut off before the first pixel read, which makes `x_origin` at most 0."""
    skipped = max(fields["x_origin"], 0)
    cut = {"x_origin": fields["x_origin"] - skipped, "ifm_width": max(fields["ifm_width"] - skipped, 0)}
    return {**_shifted(fields, "ifm_", skipped), **cut}
