"""What every test may ask for."""

import signal
import threading
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from tests.cycle_report import write_cycle_table

REPOSITORY = Path(__file__).resolve().parent.parent


def pytest_configure() -> None:
    """Hear Ctrl-C: who starts the tests in the background has it ignored, and tested programs would inherit that."""
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    if ignored and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Show the cycles that tests reported."""
    write_cycle_table(terminalreporter)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The top folder of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_models() -> Path:
    """The folder of published networks with golden outputs, one folder each with `model.tflite` and `cases.npz`."""
    folder = REPOSITORY.parent / "shared" / "models"
    if not folder.is_dir():
        pytest.fail(
            f"the golden networks are missing: {folder} is not a folder. They are kept beside the checkout, not in "
            "it: put (or link) the project's shared folder next to the checkout.",
            pytrace=False,
        )
    return folder
