"""How the host reaches a device that is not in its own process."""
