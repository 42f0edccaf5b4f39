"""A whole board in simulation: its top level in Verilator, with oscillator, PLL, serial line and SDRAM around it."""
