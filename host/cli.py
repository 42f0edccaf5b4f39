"""The command line, `celosia`."""

import sys

USAGE_STATUS = 2
DEVICE_STATUS = 3
INTERRUPT_STATUS = 130


def main() -> None:
    """Run the command that the process's arguments name and end the process.

    Exit codes: 0 for success, 1 when a verification found a difference, 2 for a file, option or value that
    cannot be used, 3 when a device or a tool failed, 130 after Ctrl-C. An error is one message on stderr.
    """
    try:
        # Imported here: Ctrl-C must end cleanly while it is still loading, too.
        from .commands.application import run

        status = run()
    except KeyboardInterrupt:
        status = INTERRUPT_STATUS
    sys.exit(status)
