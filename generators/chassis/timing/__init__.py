"""Exact cycle models of the chassis' parts; they mirror the gateware register by register, without running it."""
