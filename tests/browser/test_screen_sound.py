"""The sound of a shared tab is heard at the other side: Chromium captures a real tab that plays a tone."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import expect

from helpouts.testing.room import Call, until

from .conftest import ARGUMENTS

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
TITLE, HERTZ = "A tab that plays a tone", 1000
# The picker of tabs is answered by its title; the fake dialogue of the other tests would share a screen that is silent.
PICKING = [
    *[argument for argument in ARGUMENTS if "fake-ui" not in argument],
    "--auto-accept-camera-and-microphone-capture",
    f"--auto-select-tab-capture-source-by-title={TITLE}",
]
TONE = """(hertz) => {
  const context = new AudioContext(), tone = new OscillatorNode(context, {frequency: hertz});
  tone.connect(context.destination);
  tone.start();
}"""
#: How far the tone stands above what else is heard of the other side, in dB; -Infinity while all is silent.
STANDS_OUT = """async (hertz) => {
  const context = new AudioContext(), ear = new AnalyserNode(context, {fftSize: 8192, smoothingTimeConstant: 0});
  context.createMediaStreamSource(document.querySelector("[data-remote]").srcObject).connect(ear);
  await new Promise((next) => setTimeout(next, 400));
  const heard = new Float32Array(ear.frequencyBinCount);
  ear.getFloatFrequencyData(heard);
  const at = Math.round(hertz * ear.fftSize / context.sampleRate);
  const tone = Math.max(...heard.slice(at - 2, at + 3)), rest = Math.max(...heard.slice(2 * at));
  await context.close();
  return tone < -80 ? -Infinity : tone - rest;
}"""


def test_the_other_side_hears_the_shared_tab_also_while_the_microphone_is_off(chromium, site):
    path = shutil.which("chromium")
    with_picker = chromium.browser_type.launch(executable_path=path, args=PICKING, ignore_default_args=["--mute-audio"])
    try:
        call = Call(with_picker, site)
        expert, customer = call.pages
        playing = expert.context.new_page()
        playing.goto(f"{site.url}/healthz")
        playing.evaluate("title => { document.title = title; }", TITLE)
        playing.evaluate(TONE, HERTZ)
        expert.bring_to_front()
        expert.click('.room-controls [data-control="mic"]')
        expect(customer.locator("[data-peer-state]")).to_have_text("Jonas Weber is muted.")
        assert customer.evaluate(STANDS_OUT, HERTZ) < 10, "the tone is there before it is shared"

        expert.click('.room-controls [data-control="screen"]')
        expect(expert.locator("[data-sharing-text]")).to_contain_text("its sound")
        until(customer, lambda: customer.evaluate("document.querySelector('[data-remote-screen]').videoWidth > 0"))
        until(customer, lambda: customer.evaluate(STANDS_OUT, HERTZ) > 20, 20, "the tab is not heard")

        expert.click('.room-controls [data-control="screen"]')
        until(customer, lambda: customer.evaluate(STANDS_OUT, HERTZ) < 10, 20, "it is heard after the end")
        expert.click('.room-controls [data-control="mic"]')
        expect(customer.locator("[data-peer-state]")).to_be_hidden()
        call.close()
    finally:
        with_picker.close()
