"""The MAC engine: dot-product cores of 32 to 1024 multiply-accumulates a cycle, after the Arm Ethos-U55."""
