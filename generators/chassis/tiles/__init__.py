"""COMPUTE's loop nest over accumulator tiles, and ACTIVATE, for families whose cores fill such tiles."""
