"""Gateware that any accelerator could use: arithmetic, memories, streams, AXI, DMA, registers."""
