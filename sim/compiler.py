"""C++ compilers: finding one, naming it for the cache, and running it on several files at once."""

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from .errors import ToolError

DEFAULT_COMPILER = "zig"
"""The C++ compiler of the `ziglang` wheel, which is always installed."""

_POLL_SECONDS = 0.02
_ERROR_LINES = 30


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C++ compiler.

    Attributes:
        command: the program and the arguments that come before all others.
        identity: name and version, part of every cache key.
        environment: variables set for it on top of the process's own.
        link_flags: needed only when linking a shared library.
    """

    command: tuple[str, ...]
    identity: str
    environment: tuple[tuple[str, str], ...] = ()
    link_flags: tuple[str, ...] = ()


def find_compiler(name: str, cache_directory: Path) -> Compiler:
    """The C++ compiler `name`: "zig", or a program such as "g++" or "clang++-19" on the path or by its path.

    Raises:
        ToolError: there is no such compiler; the message says how to get one.
    """
    if name == DEFAULT_COMPILER:
        if importlib.util.find_spec("ziglang") is None:
            raise ToolError(
                "the C++ compiler of the package 'ziglang' is not installed: "
                "run 'pip install ziglang', or choose an installed compiler such as g++"
            )
        return Compiler(
            command=(sys.executable, "-m", "ziglang", "c++"),
            identity=f"zig {version('ziglang')}",
            # Its own cache holds the compiled C++ library, which takes the better part of a minute to build.
            environment=(("ZIG_GLOBAL_CACHE_DIR", str(cache_directory / "zig")),),
        )
    path = shutil.which(name)
    if path is None:
        raise ToolError(
            f"the C++ compiler {name!r} is not on the path: install it, give its full path, "
            f"or use {DEFAULT_COMPILER!r}, which needs no system package"
        )
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        raise ToolError(f"{name!r} is not a C++ compiler: '{path} --version' failed")
    # Statically linked, the library runs beside whatever C++ library another Python package brought along.
    return Compiler(
        command=(path,),
        identity=f"{path}: {answer.stdout.splitlines()[0]}",
        link_flags=("-static-libstdc++", "-static-libgcc"),
    )


def finds_headers(compiler: Compiler, headers: Sequence[str]) -> bool:
    """Whether `compiler` can include all of `headers`."""
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "probe.cpp"
        source.write_text("".join(f"#include <{header}>\n" for header in headers))
        environment = dict(compiler.environment) | {"ZIG_LOCAL_CACHE_DIR": directory}
        try:
            run_tools([[*compiler.command, "-c", str(source), "-o", f"{source}.o"]], environment)
        except ToolError:
            return False
        return True


def processor_identity() -> str:
    """Names the processor that native code is compiled for: architecture, model and instruction sets."""
    identity = [platform.system(), platform.machine()]
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(errors="replace").split("\n\n")[0].splitlines():
            if line.partition(":")[0].strip() in ("vendor_id", "model name", "flags", "Features"):
                identity.append(line.partition(":")[2].strip())
    else:
        identity.append(platform.processor())
    return "\n".join(identity)


def run_tools(
    commands: Sequence[Sequence[str]],
    environment: dict[str, str],
    finished: Callable[[int], None] = lambda count: None,
) -> None:
    """Run `commands`, as many at a time as there are processors, and call `finished` after each with how many are done.

    All are ended if one fails or the caller is interrupted.

    Raises:
        ToolError: a command failed; the message shows what it printed first.
    """
    waiting = list(reversed(commands))
    running: dict[subprocess.Popen[bytes], Path] = {}
    done = 0
    with tempfile.TemporaryDirectory() as directory:
        try:
            while waiting or running:
                while waiting and len(running) < (os.cpu_count() or 1):
                    log = Path(directory) / f"{len(waiting)}.log"
                    with log.open("wb") as output:
                        process = subprocess.Popen(
                            waiting.pop(),
                            stdin=subprocess.DEVNULL,
                            stdout=output,
                            stderr=subprocess.STDOUT,
                            env=os.environ | environment,
                        )
                    running[process] = log
                time.sleep(_POLL_SECONDS)
                for process in [process for process in running if process.poll() is not None]:
                    log = running.pop(process)
                    if process.returncode != 0:
                        raise ToolError(_failure(process, log))
                    done += 1
                    finished(done)
        finally:
            for process in running:
                process.kill()
                process.wait()


def _failure(process: subprocess.Popen[bytes], log: Path) -> str:
    arguments = process.args if isinstance(process.args, list | tuple) else [process.args]
    command = " ".join(str(argument) for argument in arguments)
    lines = log.read_text(errors="replace").splitlines()[:_ERROR_LINES]  # the first error is the cause
    return "\n".join(
        [f"{Path(str(arguments[0])).name} ended with status {process.returncode}:", *lines, command]
    )
