"""What a run cost, layer by layer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from .driver import Counters, SectionRun
from .program import EngineSection, ProgramLayer


@dataclass(frozen=True, slots=True)
class LayerProfile:
    """One layer: from the end of the one before it to its own end; of a layer that takes turns with others, all turns.

    `active`, the four stalls (weights, ifm, ofm, DMA) and the causes among the counters of the family's `own` add up to
    `cycles`. Layers that the profile memory has no
    entries for share one of these.
    """

    name: str
    kind: str
    macs: int
    cycles: int
    predicted_cycles: int
    active: int
    stall_weights: int
    stall_ifm: int
    stall_ofm: int
    stall_dma: int
    bytes_read: int
    bytes_written: int
    mac_utilization: float
    own: Mapping[str, int] = field(default_factory=dict)


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
    runs: Sequence[tuple[EngineSection, SectionRun]],
    macs_per_cycle: int,
    predicted_cycles: int,
    own: Sequence[str] = (),
) -> Profile:
    """Turn counter snapshots into costs per layer; what follows a section's last snapshot belongs to its last layer.

    `own` are the names of the counters that the family has besides those of the chassis.
    """
    layers = [entry for section, run in runs for entry in _section_layers(section, run, macs_per_cycle, own)]
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


def _section_layers(
    section: EngineSection, run: SectionRun, macs_per_cycle: int, own: Sequence[str]
) -> list[LayerProfile]:
    """What the snapshots tell, those of the same layers taken together. The last one has all that follows."""
    nothing = Counters.of([0] * len(run.total.values))
    costs: dict[tuple[int, int], tuple[Counters, int]] = {}
    before = nothing
    ends = [*run.snapshots[: len(section.snapshots) - 1], run.total]
    for snapshot, after in zip(section.snapshots, ends, strict=False):
        cost, predicted = costs.get((snapshot.first, snapshot.last), (nothing, 0))
        costs[snapshot.first, snapshot.last] = (
            cost + (after - before),
            predicted + snapshot.predicted_cycles,
        )
        before = after
    return [
        _profile(section.layers[first:last], cost, predicted, macs_per_cycle, own)
        for (first, last), (cost, predicted) in sorted(costs.items())
    ]


def _profile(
    layers: Sequence[ProgramLayer],
    cost: Counters,
    predicted_cycles: int,
    macs_per_cycle: int,
    own: Sequence[str],
) -> LayerProfile:
    macs = sum(layer.macs for layer in layers)
    return LayerProfile(
        name=layers[0].name + (f" and {len(layers) - 1} more" if len(layers) > 1 else ""),
        kind=layers[0].kind,
        macs=macs,
        cycles=cost.cycles,
        predicted_cycles=predicted_cycles,
        active=cost.active,
        stall_weights=cost.stall_weights,
        stall_ifm=cost.stall_ifm,
        stall_ofm=cost.stall_ofm,
        stall_dma=cost.stall_dma,
        bytes_read=cost.bytes_read,
        bytes_written=cost.bytes_written,
        mac_utilization=macs / (cost.cycles * macs_per_cycle) if cost.cycles else 0.0,
        own=dict(zip(own, cost.own, strict=True)),
    )
