"""The loop nest of COMPUTE as docs/architecture.md writes it, for the tests of its walkers."""

from collections.abc import Iterator

from .compute_model import Fields, row_pointer

ADDRESSES = 1 << 16


def tiles(fields: Fields) -> Iterator[dict[str, int]]:
    """Members of `TILE`, and `top`, the tile's first ofm row."""
    pixels, blocks = 1 << fields["pixel_cores_log2"], 1 << fields["block_cores_log2"]
    columns = fields["tile_groups"] * pixels
    for block in range(0, fields["output_blocks"], blocks):
        brick = block // fields["blocks_per_brick"] if fields["blocks_per_brick"] else 0
        for top in range(0, fields["height"], fields["tile_rows"]):
            for left in range(0, fields["width"], columns):
                is_last_row = top + fields["tile_rows"] >= fields["height"]
                is_last_column = left + columns >= fields["width"]
                yield {
                    "top": top,
                    "row": row_pointer(fields, "ifm_", *[fields["stride_y"]] * top),
                    "y": fields["y_origin"] + top * fields["stride_y"],
                    "x": fields["x_origin"] + left * fields["stride_x"],
                    "channel_offset": brick * fields["ifm_channel_pitch"],
                    "ifm2_row": row_pointer(fields, "ifm2_", *[1] * top),
                    "ifm2_x": 0 if fields["ifm2_broadcast_x"] else left // pixels % ADDRESSES,
                    "ifm2_channel_offset": brick * fields["ifm2_channel_pitch"],
                    "last_row": min(fields["tile_rows"], fields["height"] - top) - 1,
                    "last_group": min(fields["tile_groups"], -(-(fields["width"] - left) // pixels)) - 1,
                    "odd_block": block // blocks % 2,
                    "last_of_blocks": int(is_last_row and is_last_column),
                    "last": int(is_last_row and is_last_column and block + blocks >= fields["output_blocks"]),
                }


def steps(fields: Fields) -> Iterator[dict[str, int]]:
    """Members of `STEP`."""
    taps = fields["taps"]
    for tile in tiles(fields):
        places = [
            (ky, kx, brick)
            for ky in range(fields["kernel_height"])
            for kx in range(0, fields["kernel_width"], taps)
            for brick in range(fields["channel_bricks"])
        ]
        for number, (ky, kx, brick) in enumerate(places):
            x = tile["x"] + kx * fields["dilation_x"]
            is_last = number == len(places) - 1
            rows = [fields["stride_y"]] * tile["top"] + [fields["dilation_y"]] * ky
            yield {
                "row": row_pointer(fields, "ifm_", *rows),
                "column": (tile["channel_offset"] + brick * fields["ifm_channel_pitch"] + x) % ADDRESSES,
                "y": tile["y"] + ky * fields["dilation_y"],
                "x": x,
                "ifm2_row": tile["ifm2_row"],
                "ifm2_column": (tile["ifm2_channel_offset"] + tile["ifm2_x"]) % ADDRESSES,
                "last_row": tile["last_row"],
                "last_group": tile["last_group"],
                "odd_block": tile["odd_block"],
                "first_of_tile": int(number == 0),
                "last_of_tile": int(is_last),
                "last_of_blocks": int(is_last and tile["last_of_blocks"]),
                "last": int(is_last and tile["last"]),
            }
