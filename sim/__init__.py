"""Simulation: Verilog to a Verilator model, the memory behind it, the device in this process."""
