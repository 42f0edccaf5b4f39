"""What a run cost, layer by layer."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from .driver import Counters, SectionRun
from .program import EngineSection, ProgramLayer


@dataclass(frozen=True, slots=True)
class LayerProfile:
    """One layer: from the end of the one before it to its own end.

    `active` and the four stalls (weights, ifm, ofm, DMA) add up to `cycles`.
    """

    name: str
    kind: str
    macs: int
    cycles: int
    active: int
    stall_weights: int
    stall_ifm: int
    stall_ofm: int
    stall_dma: int
    bytes_read: int
    bytes_written: int
    mac_utilization: float


@dataclass(frozen=True, slots=True)
class Profile:
    """One inference: its layers, in order, and their sums."""

    layers: tuple[LayerProfile, ...]
    cycles: int
    predicted_cycles: int
    macs: int
    mac_utilization: float
    bytes_read: int
    bytes_written: int

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return asdict(self)


def profile_of(
    runs: Sequence[tuple[EngineSection, SectionRun]], macs_per_cycle: int, predicted_cycles: int
) -> Profile:
    """Turn counter snapshots into costs per layer; what follows a section's last snapshot belongs to its last layer."""
    layers = [entry for section, run in runs for entry in _section_layers(section, run, macs_per_cycle)]
    cycles = sum(run.total.cycles for _, run in runs)
    macs = sum(layer.macs for layer in layers)
    return Profile(
        layers=tuple(layers),
        cycles=cycles,
        predicted_cycles=predicted_cycles,
        macs=macs,
        mac_utilization=macs / (cycles * macs_per_cycle) if cycles else 0.0,
        bytes_read=sum(run.total.bytes_read for _, run in runs),
        bytes_written=sum(run.total.bytes_written for _, run in runs),
    )


def _section_layers(section: EngineSection, run: SectionRun, macs_per_cycle: int) -> list[LayerProfile]:
    result = []
    before = Counters(*(0,) * len(run.total.values))
    known = len(run.snapshots)
    for index, layer in enumerate(section.layers):
        if index >= known and index > 0:
            break
        is_last = index == len(section.layers) - 1 or index == known - 1 or known == 0
        after = run.total if is_last else run.snapshots[index]
        rest = section.layers[index + 1 :] if is_last else ()
        result.append(_layer(layer, rest, after - before, macs_per_cycle))
        before = after
    return result


def _layer(
    layer: ProgramLayer, rest: Sequence[ProgramLayer], cost: Counters, macs_per_cycle: int
) -> LayerProfile:
    """One entry; `rest` are layers beyond the profile memory, which share it."""
    macs = layer.macs + sum(entry.macs for entry in rest)
    return LayerProfile(
        name=layer.name + (f" and {len(rest)} more" if rest else ""),
        kind=layer.kind,
        macs=macs,
        cycles=cost.cycles,
        active=cost.active,
        stall_weights=cost.stall_weights,
        stall_ifm=cost.stall_ifm,
        stall_ofm=cost.stall_ofm,
        stall_dma=cost.stall_dma,
        bytes_read=cost.bytes_read,
        bytes_written=cost.bytes_written,
        mac_utilization=macs / (cost.cycles * macs_per_cycle) if cost.cycles else 0.0,
    )
