"""Chromium with a fake camera and microphone, and a site."""

from __future__ import annotations

import shutil

import pytest

from helpouts.testing.plugin import require
from helpouts.testing.site import serving

ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def chromium():
    """One headless Chromium for a module of tests (two sync drivers cannot be open at once)."""
    path = shutil.which("chromium")
    if path is None:
        require("Chromium", "apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site on SQLite for a module of tests; those that want another have a fixture of that name of their own."""
    with serving(tmp_path_factory.mktemp("site")) as made:
        yield made
