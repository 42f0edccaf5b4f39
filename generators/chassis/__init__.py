"""What every family of accelerators has in common: commands, registers, layers, the device protocol."""
