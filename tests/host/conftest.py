"""What tests of the host share."""

import pytest

from tests.interpreter_device import InterpreterDevice, open_interpreter


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> list[InterpreterDevice]:
    """`sim:` devices are interpreters instead of simulations; the list holds those opened, in order."""
    opened: list[InterpreterDevice] = []

    def open_and_keep(*arguments):
        device, verilog = open_interpreter(*arguments)
        opened.append(device)
        return device, verilog

    monkeypatch.setattr("celosia.host.simulated.open_simulated", open_and_keep)
    return opened
