"""Bytes that the weights of published networks take in a program, bias and scale apart."""

from pathlib import Path

import pytest

from celosia.generators.chassis.command import Opcode
from celosia.generators.chassis.schedule import decode_commands
from celosia.generators.mac_engine.config import PRESETS
from celosia.generators.mac_engine.isa import LAYOUTS, Destination
from celosia.generators.mac_engine.weight_code import code_of, decode
from celosia.host.compiler import compile_graph
from celosia.host.program import EngineSection
from celosia.host.tflite import load_tflite
from tests.models.networks import NETWORKS


def weight_bytes(section: EngineSection) -> tuple[int, int]:
    """Stored and raw bytes of all weights of a section, each content once."""
    stored: dict[int, tuple[int, int]] = {}
    for opcode, fields in decode_commands(section.content[section.queue_offset :], LAYOUTS):
        if opcode is Opcode.WEIGHTS and fields["destination"] == Destination.WEIGHT_STORE:
            size, raw = 8 * fields["beats"], 8 * fields["beats"]
            if fields["words"]:
                content = section.content[fields["offset"] : fields["offset"] + size]
                raw = len(decode(content, code_of(fields), fields["words"]))
            stored[fields["offset"]] = size, raw
    return sum(size for size, _ in stored.values()), sum(raw for _, raw in stored.values())


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize(
    ("network", "most"), [("mlperf_ad01_fc_ae", 184_384), ("mlperf_vww_mbv1_025_96", 47_328)]
)
def test_no_more_bytes_than_vela(shared_models: Path, network: str, most: int, preset: str) -> None:
    """`encoded_weight_bytes` of Vela, the least of its configurations."""
    program = compile_graph(load_tflite(shared_models / network / "model.tflite"), PRESETS[preset])
    assert sum(weight_bytes(section)[0] for section in program.engine_sections) <= most


@pytest.mark.parametrize("network", NETWORKS)
def test_never_more_bytes_than_raw(shared_models: Path, network: str) -> None:
    program = compile_graph(load_tflite(shared_models / network / "model.tflite"), PRESETS["u55-128"])
    for section in program.engine_sections:
        stored, raw = weight_bytes(section)
        assert stored <= raw
