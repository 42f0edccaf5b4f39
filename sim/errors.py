"""What can go wrong before a simulation runs."""


class ToolError(RuntimeError):
    """A tool is missing or failed; the message names it and the remedy."""


class CacheError(RuntimeError):
    """A cache directory cannot be used; the message names it and the remedy."""
