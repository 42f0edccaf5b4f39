"""The commands together, and what becomes of the errors they raise."""

import sys

import typer

from celosia.boards.errors import BuildError, FitError
from celosia.generators.chassis.device import DeviceError
from celosia.sim import CacheError, ToolError

from ..cli import DEVICE_STATUS, USAGE_STATUS
from ..device_spec import DeviceSpecError
from ..errors import DataError, ModelError
from .boards import boards_command
from .build import build_command
from .compile import compile_command
from .generate import generate_command
from .inspect import inspect_command
from .run import run_command
from .simulate_board import simulate_board_command
from .verify import verify_command

_HELP = """Neural accelerators for FPGAs, generated from Python.

Exit codes: 0 success; 1 a verification found a difference; 2 a file, option or value cannot be used;
3 a device or a tool failed; 130 interrupted by Ctrl-C; 143 ended by SIGTERM.

Example: celosia run model.tflite --random 1 --device sim:u55-128 --profile
"""

application = typer.Typer(
    help=_HELP,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
application.command("inspect")(inspect_command)
application.command("compile")(compile_command)
application.command("generate")(generate_command)
application.command("boards")(boards_command)
application.command("build")(build_command)
application.command("simulate-board")(simulate_board_command)
application.command("run")(run_command)
application.command("verify")(verify_command)


def run() -> int:
    """Run the command that `sys.argv` names; its exit code."""
    try:
        application()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except (ModelError, DataError, DeviceSpecError, FitError) as error:
        return _failed(str(error), USAGE_STATUS)
    except (DeviceError, ToolError, CacheError, BuildError) as error:
        return _failed(str(error), DEVICE_STATUS)
    except OSError as error:
        if error.filename is None:
            return _failed(f"the operating system says: {error.strerror or error}", DEVICE_STATUS)
        return _failed(f"{error.filename}: {error.strerror}", USAGE_STATUS)
    except MemoryError:
        return _failed("there is not enough memory for this", DEVICE_STATUS)
    return 0


def _failed(message: str, status: int) -> int:
    sys.stderr.write(f"celosia: {message}\n")
    return status
