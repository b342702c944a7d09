# ruff: noqa: D102 # the names of the checks are sentences
"""Firefox in calls with Chromium, driven directly by WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/).

Debian's Firefox comes without the patches that Playwright needs and without geckodriver; BiDi needs neither.  A page
here has what :mod:`helpouts.testing.calls` asks of Playwright's, no more.  A plugin's tests subclass
:class:`MixedCallContract` beside the other contracts.  Firefox finds no candidates where there is no default route.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, cast

import aiohttp

from helpouts.testing.calls import calling, moves
from helpouts.testing.plugin import require

Json = dict[str, Any]
#: A fake camera and microphone, allowed without a question; nothing that calls home.
PREFERENCES: Mapping[str, Any] = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.autoplay.default": 0,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.gmp-manager.updateEnabled": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "http://127.0.0.1:9/",
    "extensions.update.enabled": False,
    "browser.safebrowsing.update.enabled": False,
}


class ScriptError(Exception):
    """What a script of the page threw."""


class FirefoxPage:
    """One tab."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser, self._context = browser, context

    async def goto(self, url: str) -> None:
        """Open an address and wait until it is loaded."""
        await self._browser.ask("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def reload(self) -> None:
        """The same address anew."""
        await self._browser.ask("browsingContext.reload", context=self._context, wait="complete")

    async def evaluate(self, expression: str, argument: Any = None) -> Any:
        """The JSON of what an expression gives; a function is called, with the argument.

        :raises ScriptError: it threw.
        """
        source = expression if ";" in expression else f"({expression})"
        body = f"""(async () => {{
            const made = (0, eval)({json.dumps(source)});
            const got = await (typeof made === "function" ? made({json.dumps(argument)}) : made);
            return JSON.stringify(got === undefined ? null : got);
        }})()"""
        answer = await self._browser.ask(
            "script.evaluate", expression=body, awaitPromise=True, target={"context": self._context}
        )
        if answer["type"] == "exception":
            raise ScriptError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    async def wait_for_function(self, expression: str, seconds: float = 20) -> None:
        """Until the expression is true.

        :raises TimeoutError: it never was.
        """
        async with asyncio.timeout(seconds):
            while not await self.evaluate(f"Boolean({expression})"):
                await asyncio.sleep(0.05)


class Firefox:
    """The connection to a running browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Json]] = {}
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            said = message.json()
            waiting = self._waiting.pop(said.get("id") or 0, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(said)

    async def ask(self, method: str, **parameters: Any) -> Json:
        """Send a command; its result.

        :raises ScriptError: the browser refuses it.
        """
        number = next(self._numbers)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        said = await asyncio.wait_for(answer, 60)
        if said["type"] == "error":
            raise ScriptError(f"{method}: {said['message']}")
        return cast("Json", said["result"])

    async def page(self, base: str, who: str) -> FirefoxPage:
        """A tab in the test's room, its camera on."""
        made = await self.ask("browsingContext.create", type="tab")
        page = FirefoxPage(self, made["context"])
        await page.goto(base)
        await page.evaluate("who => enter(who)", who)
        return page

    async def close(self) -> None:
        """End the conversation, and the browser."""
        with suppress(ScriptError, TimeoutError, ConnectionError):
            await self.ask("browser.close")
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)


@asynccontextmanager
async def firefox() -> AsyncIterator[Firefox]:
    """A headless Firefox with a profile of its own."""
    program = shutil.which("firefox-esr") or shutil.which("firefox")
    if program is None:
        require("Firefox", "apt-get install firefox-esr")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = [f"user_pref({json.dumps(key)}, {json.dumps(value)});" for key, value in PREFERENCES.items()]
        Path(profile, "user.js").write_text("\n".join(lines), "utf-8")
        arguments = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank"]
        process = await asyncio.create_subprocess_exec(
            str(program), *arguments, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(60):
                url = await _address(process)
            drain = asyncio.create_task(_drain(process))
            async with aiohttp.ClientSession() as client, client.ws_connect(url, max_msg_size=0) as socket:
                browser = Firefox(socket)
                await browser.ask("session.new", capabilities={})
                yield browser
                await browser.close()
            drain.cancel()
            await asyncio.gather(drain, return_exceptions=True)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    while line := await process.stderr.readline():
        found = re.search(rb"WebDriver BiDi listening on (ws://\S+)", line)
        if found:
            return found[1].decode() + "/session"
    raise AssertionError("Firefox ended before it listened")


async def _drain(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    while await process.stderr.read(65536):
        pass


class MixedCallContract:
    """A call between Chromium and Firefox, whoever comes first.  Mark the subclass ``browser``."""

    plugin: ClassVar[ModuleType]
    """The plugin's package."""
    settings: ClassVar[Mapping[str, Any]] = {}
    """Settings that differ from the defaults."""

    async def test_chromium_and_firefox_see_and_hear_each_other_whoever_comes_first(self) -> None:
        async with calling(self.plugin, **self.settings) as calls, firefox() as other:
            ann, bob = await calls.page("ann"), await other.page(calls.base, "bob")
            both: list[Any] = [ann, bob]
            for page in both:
                await moves(page)
                await moves(page, "totalAudioEnergy", 1e-6)
            await ann.reload()  # now Firefox is there first
            await ann.evaluate("enter('ann')")
            for page in both:
                await moves(page)
            assert await bob.evaluate("states") == ["connecting", "connected"]
            await bob.reload()
            await bob.evaluate("enter('bob')")
            for page in both:
                await moves(page)
                await moves(page, "totalAudioEnergy", 1e-6)

    async def test_a_screen_crosses_between_them_both_ways(self) -> None:
        async with calling(self.plugin, **self.settings) as calls, firefox() as other:
            ann, bob = await calls.page("ann"), await other.page(calls.base, "bob")
            both: list[Any] = [ann, bob]
            shown = "tracks.screen && document.getElementById('screen').videoWidth === 320"
            for page in both:
                await moves(page)
            await ann.evaluate("share()")
            await bob.wait_for_function(shown)
            await bob.evaluate("share()")
            await ann.wait_for_function(shown)
