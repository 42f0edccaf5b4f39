"""From a configuration to the MAC engine's files."""

from dataclasses import asdict
from pathlib import Path

from ...hdl.verilog_platform import VerilogPlatform
from ..generate import Design, GeneratedFiles, write_design
from ..top import CelosiaTop
from ..verilog import VerilogText, write_verilog
from .config import FAMILY, MacEngineConfig
from .engine import MacEngine
from .isa import LAYOUTS


def mac_engine_design(config: MacEngineConfig) -> Design:
    """The engine of `config` with all that describes it."""
    return Design(
        name=f"MAC engine with {config.macs} multipliers",
        family=FAMILY,
        configuration=asdict(config),
        configuration_hash=config.hash,
        layouts=LAYOUTS,
        engine=MacEngine(config),
        address_bits=config.address_bits,
        data_bits=config.data_bits,
    )


def generate(config: MacEngineConfig, directory: Path) -> GeneratedFiles:
    """Write `celosia.v`, `celosia.json` and `celosia.h` into `directory`; see `write_design`."""
    return write_design(mac_engine_design(config), directory)


def mac_engine_verilog(config: MacEngineConfig, platform: VerilogPlatform | None = None) -> VerilogText:
    """The Verilog that `generate` writes, without writing it; `platform` as in `write_verilog`."""
    design = mac_engine_design(config)
    top = CelosiaTop(design.engine, design.address_bits, design.data_bits)
    return write_verilog(top, design.title, platform)
