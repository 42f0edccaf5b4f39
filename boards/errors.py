"""What can go wrong on the way from Verilog to a bitstream."""


class BuildError(RuntimeError):
    """A tool is missing or a step failed; the message names it and the remedy."""


class GivenUpError(BuildError):
    """A program was ended because what it said showed that it would never end by itself."""


class FitError(BuildError):
    """The design is too large for the device; the message says by how much of what."""
