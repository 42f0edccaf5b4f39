"""What tests of the host share."""

import pytest

from tests.interpreter_device import InterpreterDevice, open_interpreter


@pytest.fixture
def interpreted(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> list[InterpreterDevice]:
    """`sim:` devices are interpreters instead of simulations; the list holds those opened, in order.

    The user's cache is an empty folder.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    opened: list[InterpreterDevice] = []

    def open_and_keep(*arguments):
        device, verilog = open_interpreter(*arguments)
        opened.append(device)
        return device, verilog

    monkeypatch.setattr("celosia.host.simulated.open_simulated", open_and_keep)
    return opened
