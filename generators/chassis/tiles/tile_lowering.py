"""Layer -> commands: what is the same in all families whose COMPUTE fills accumulator tiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..command import Opcode, Region
from ..constants import ConstantPool
from ..fixed_point import FixedPointScaling
from ..layer import Layer, LayerKind, Requantization
from ..layer_plan import LayerPlan, needed_rows
from ..placement import MEMORY_SPAN_BYTES, Placement, load_rows
from ..schedule import Command, Span, ring_spans
from ..wide_scaling import WideScaling
from .command_fields import BlockRange, from_first_pixel, operand_fields, tiling_fields
from .commands import BRICK_CHANNELS, Destination
from .parameter_content import parameter_content
from .planes import places_of
from .tile_config import TileConfig
from .tiling import Tiling

Config = TypeVar("Config", bound=TileConfig)

PARAMETER_STORE = "parameter store"
OPERAND_TABLE = Span("operand table", 0, 1)
ACTIVATION_TABLE = Span("activation table", 0, 1)
EXPONENTIAL_TABLE = Span("exponential table", 0, 1)


@dataclass(frozen=True, slots=True)
class Stored:
    """Where something lies in a ring."""

    address: int
    spans: tuple[Span, ...]


@dataclass(slots=True)
class TileLowering(Generic[Config]):
    """A section while its commands are made.

    Attributes:
        config: of the engine.
        constants: of the section.
        parameter_address: where the ring of parameters stands.
        commands: those so far.
        bands: rows of its ofm that the last layer completes one after the other, if it does.
    """

    config: Config
    constants: ConstantPool
    parameter_address: int = field(default=0, kw_only=True)
    commands: list[Command] = field(default_factory=list, kw_only=True)
    bands: list[tuple[int, int]] = field(default_factory=list, kw_only=True)

    def load_operands(self, plan: LayerPlan, stripe: tuple[int, int], loaded: list[int]) -> None:
        """Load the rows of maps in memory that a stripe needs and that have not been `loaded`."""
        layer = plan.layer
        for which, operand in enumerate((plan.ifm, plan.ifm2)):
            if operand is None or operand.memory is None:
                continue
            first, last = needed_rows(layer, stripe) if which == 0 else stripe
            if which == 1 and layer.broadcast.rows:
                first, last = 0, 1
            first = max(first, loaded[which])
            if first < last:
                self.commands += load_rows(operand.memory, operand.placement, first, last, plan.index)
                loaded[which] = last

    def weights_command(
        self,
        plan: LayerPlan,
        content: bytes,
        destination: Destination,
        address: int,
        spans: Sequence[Span],
        coding: Mapping[str, int] | None = None,
    ) -> None:
        """A WEIGHTS of constants; `coding`: the family's own fields."""
        beat_bytes = self.config.weights_beat_bytes
        if destination is not Destination.WEIGHT_STORE:
            content = _a_beat_each(content, beat_bytes)
        offset = self.constants.add(content)
        self.commands.append(
            Command(
                Opcode.WEIGHTS,
                {
                    "region": Region.PROGRAM,
                    "offset": offset,
                    "beats": len(content) // beat_bytes,
                    "destination": destination,
                    "address": address,
                    **(coding or {}),
                },
                reads=(
                    Span(
                        Region.PROGRAM.name,
                        offset // MEMORY_SPAN_BYTES,
                        -(-(offset + len(content)) // MEMORY_SPAN_BYTES),
                    ),
                ),
                writes=tuple(spans),
                layer=plan.index,
            )
        )

    def load_tables(self, plan: LayerPlan) -> tuple[Span, ...]:
        """Load what the layer looks up; the spans of the tables."""
        tables = tables_of(plan.layer)
        for destination, (span, content) in tables.items():
            self.weights_command(plan, content, destination, 0, (span,))
        return tuple(span for span, _ in tables.values())

    def load_parameters(self, plan: LayerPlan, part: BlockRange) -> Stored:
        """Load the parameters of output blocks behind those that are in the ring."""
        config = self.config
        per_eight = BRICK_CHANNELS // config.core_outputs
        blocks = slice(part.first // per_eight, -(-part.last // per_eight))
        content = parameter_content(plan.layer.requantization, blocks)
        address = self.parameter_address
        spans = ring_spans(PARAMETER_STORE, address, len(content) // 8, config.parameter_beats)
        self.weights_command(plan, content, Destination.PARAMETER_STORE, address, spans)
        self.parameter_address = (address + len(content) // 8) % config.parameter_beats
        return Stored(address, spans)

    def activate(
        self,
        plan: LayerPlan,
        tiling: Tiling,
        part: BlockRange,
        stripe: tuple[int, int],
        parameters: Stored,
        table_spans: Sequence[Span],
        *,
        snapshot: bool,
    ) -> None:
        """ACTIVATE of output blocks of the rows of a stripe."""
        layer, placement = plan.layer, plan.ofm.placement
        requantization = layer.requantization
        first_brick = (
            layer.ofm_channel + part.first * self.config.core_outputs
        ) // self.config.brick_channels
        first_brick *= layer.ofm_planes
        fields = placement.fields("ofm_", layer.ofm_y + stripe[0])
        fields["ofm_row"] = (fields["ofm_row"] + first_brick * placement.shape.width + layer.ofm_x) & 0xFFFF
        if fields["ofm_ring_size"]:
            fields["ofm_ring_end"] += first_brick * placement.shape.width + layer.ofm_x
        fields["ofm_channel_pitch"] *= layer.ofm_planes
        height = stripe[1] - stripe[0]
        softmax_lanes = 0
        if layer.kind is LayerKind.SOFTMAX:
            softmax_lanes = (layer.ofm_shape.channels - 1) % BRICK_CHANNELS + 1
        self.commands.append(
            Command(
                Opcode.ACTIVATE,
                {
                    **tiling_fields(layer, tiling, height, layer.ofm_shape.width, part.last - part.first),
                    **fields,
                    "parameter_address": parameters.address,
                    "parameter_uniform": int(requantization.is_uniform),
                    "uniform_scale": int(requantization.has_uniform_scale),
                    **_result_fields(layer, placement),
                    "softmax_lanes": softmax_lanes,
                    "snapshot": int(snapshot),
                },
                reads=(*parameters.spans, *(span for span in table_spans if span != OPERAND_TABLE)),
                writes=placement.spans(layer.ofm_y + stripe[0], layer.ofm_y + stripe[1]),
                layer=plan.index,
            )
        )

    def compute(
        self,
        plan: LayerPlan,
        fields: dict[str, int],
        stripe: tuple[int, int],
        weights: Stored | None,
        table_spans: Sequence[Span],
    ) -> None:
        """COMPUTE with these fields, of the rows of a stripe."""
        layer = plan.layer
        fields = from_first_pixel(fields)
        reads = list(plan.ifm.placement.spans(*needed_rows(layer, stripe)))
        if plan.ifm2 is not None:
            rows = (0, 1) if layer.broadcast.rows else stripe
            reads += plan.ifm2.placement.spans(*rows)
        reads += [span for span in table_spans if span == OPERAND_TABLE]
        if weights is not None:
            reads += weights.spans
            fields = {**fields, "weight_address": weights.address}
        self.commands.append(Command(Opcode.COMPUTE, fields, reads=tuple(reads), layer=plan.index))


def _result_fields(layer: Layer, ofm: Placement) -> dict[str, int]:
    """What ACTIVATE does with the scaled sums of all channels."""
    stage = layer.requantization
    bounds = {"minimum": stage.minimum, "maximum": stage.maximum}
    if isinstance(stage, FixedPointScaling):
        return {**bounds, "to_even": int(stage.to_even)}
    if isinstance(stage, WideScaling):
        places, pitch = places_of(operand_fields(layer)), ofm.shape.width if stage.ofm_bytes > 1 else 0
        return {**bounds, "places": places, "ofm_bytes": stage.ofm_bytes, "ofm_plane_pitch": pitch}
    return {**bounds, "zero_point": stage.zero_point, "use_table": int(stage.table is not None)}


def tables_of(layer: Layer) -> dict[Destination, tuple[Span, bytes]]:
    """The tables that a layer looks up, each with its place and content."""
    tables = {}
    if layer.operand_tables is not None:
        tables[Destination.OPERAND_TABLE] = OPERAND_TABLE, layer.operand_tables.astype("<i4").tobytes()
    stage = layer.requantization
    if isinstance(stage, Requantization) and stage.table is not None:
        tables[Destination.ACTIVATION_TABLE] = ACTIVATION_TABLE, stage.table.astype("i1").tobytes()
    if layer.exponentials is not None:
        tables[Destination.EXPONENTIAL_TABLE] = EXPONENTIAL_TABLE, layer.exponentials.astype("<i4").tobytes()
    return tables


def _a_beat_each(content: bytes, beat_bytes: int) -> bytes:
    """Every eight bytes at the start of a beat of WEIGHTS' port, which is all that goes into its destination."""
    return b"".join(content[low : low + 8].ljust(beat_bytes, b"\0") for low in range(0, len(content), 8))
