"""The table that `--profile` prints."""

from rich.table import Table

from ..profile import Profile
from .terminal import table

_STALLS = ("active", "stall_weights", "stall_ifm", "stall_ofm", "stall_dma")


def profile_table(profile: Profile) -> Table:
    """A row for each layer and one for their sum; active and stall cycles add up to the cycles of each row.

    The counters that a family has of its own come last.
    """
    own = list(profile.layers[0].own) if profile.layers else []
    columns = (
        "layer",
        "cycles",
        "MACs",
        "of peak",
        "read",
        "written",
        "active",
        "weights",
        "ifm",
        "ofm",
        "DMA",
        *(name.replace("_", " ") for name in own),
    )
    result = table(columns, left=("layer",))
    for layer in profile.layers:
        causes = [f"{getattr(layer, name):,}" for name in _STALLS]
        result.add_row(
            layer.name,
            f"{layer.cycles:,}",
            f"{layer.macs:,}",
            f"{layer.mac_utilization:.1%}",
            f"{layer.bytes_read:,}",
            f"{layer.bytes_written:,}",
            *causes,
            *(f"{layer.own[name]:,}" for name in own),
        )
    totals = [f"{sum(getattr(layer, name) for layer in profile.layers):,}" for name in _STALLS]
    result.add_row(
        "all",
        f"{profile.cycles:,}",
        f"{profile.macs:,}",
        f"{profile.mac_utilization:.1%}",
        f"{profile.bytes_read:,}",
        f"{profile.bytes_written:,}",
        *totals,
        *(f"{sum(layer.own[name] for layer in profile.layers):,}" for name in own),
    )
    return result
