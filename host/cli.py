"""The command line, `celosia`."""

import signal
import sys
import time
from types import FrameType

USAGE_STATUS = 2
DEVICE_STATUS = 3
INTERRUPT_STATUS = 128 + signal.SIGINT
TERMINATION_STATUS = 128 + signal.SIGTERM

_ENDINGS = {INTERRUPT_STATUS: "interrupted by Ctrl-C", TERMINATION_STATUS: "ended by SIGTERM"}

_GRACE_SECONDS = 2.0
"""Another signal within them would only cut short what cleans up after the first."""


def main() -> None:
    """Run the command that the process's arguments name and end the process.

    Exit codes: 0 for success, 1 when a verification found a difference, 2 for a file, option or value that
    cannot be used, 3 when a device or a tool failed, 130 after Ctrl-C, 143 after SIGTERM. An error is one message on
    stderr; so is the end by a signal, after which no half-written file and no tool is left.
    """
    try:
        _catch_signals()
        # Imported here: a signal must end cleanly while it is still loading, too.
        from .commands.application import run

        status = run()
    except KeyboardInterrupt:
        status = INTERRUPT_STATUS
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else DEVICE_STATUS
    if status in _ENDINGS:
        sys.stderr.write(f"celosia: {_ENDINGS[status]}\n")
    sys.exit(status)


def _catch_signals() -> None:
    """Let a signal unwind the stack, so that everything on it cleans up; one that is ignored stays so, as by nohup."""
    last = -_GRACE_SECONDS

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal last
        before, last = last, time.monotonic()
        if last - before >= _GRACE_SECONDS:
            raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
