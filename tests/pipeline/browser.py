"""A real browser for tests: Chromium, driven by Playwright. They skip themselves where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
BROWSERS = "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"
"""The first one draws no windows of its own, which cost a second of processor for each page."""
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: apt-get install chromium-headless-shell"
)


@contextmanager
def chromium() -> Iterator["playwright.Browser"]:
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
