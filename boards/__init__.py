"""Boards: platforms, board tops and the build flow."""
