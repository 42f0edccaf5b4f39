"""What can go wrong on the way from Verilog to a bitstream."""


class BuildError(RuntimeError):
    """A tool is missing or a step failed; the message names it and the remedy."""
