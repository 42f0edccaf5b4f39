"""The link between a host and a board: requests in, replies out, over any pair of byte streams.

`docs/link.md` is the protocol's manual.
"""
