"""The browser of tests that look at pages."""

import shutil

import pytest

__all__ = ["CHROMIUM", "needs_chromium"]

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: apt install chromium"
)
