"""Real networks on the generated RTL: every bit of the golden outputs, every cycle as predicted."""

from pathlib import Path

import pytest

from celosia.generators.chassis.memory import MemoryModel
from celosia.generators.families import PRESETS
from tests.families import DEFAULTS, SIMULATED, often
from tests.models.golden_bench import check_golden
from tests.models.networks import NETWORKS

OTHERS = tuple(preset for preset in SIMULATED if preset not in DEFAULTS)
MLPERF = tuple(network for network in NETWORKS if network.startswith("mlperf_"))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("preset", DEFAULTS)
def test_every_case_is_bit_exact_on_the_default_presets(
    shared_models: Path, network: str, preset: str
) -> None:
    check_golden(shared_models, network, preset, PRESETS[preset].buffer_kib, MemoryModel(), None)


@pytest.mark.parametrize("network", MLPERF)
@pytest.mark.parametrize("preset", often(OTHERS))
def test_first_cases_are_bit_exact_on_the_other_presets(
    shared_models: Path, network: str, preset: str
) -> None:
    check_golden(shared_models, network, preset, PRESETS[preset].buffer_kib, MemoryModel(), 2)


@pytest.mark.slow
@pytest.mark.parametrize("network", MLPERF)
@pytest.mark.parametrize("preset", OTHERS)
def test_every_case_is_bit_exact_on_the_other_presets(shared_models: Path, network: str, preset: str) -> None:
    check_golden(shared_models, network, preset, PRESETS[preset].buffer_kib, MemoryModel(), None)


@pytest.mark.parametrize("network", ["cfu_mbv2_035_160", "mlperf_ic_resnet8", "mlperf_vww_mbv1_025_96"])
def test_maps_larger_than_the_buffer_are_tiled(shared_models: Path, network: str) -> None:
    check_golden(shared_models, network, "u55-128", 32, MemoryModel(), 1)
