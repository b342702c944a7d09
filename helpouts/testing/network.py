"""A network of its own for a test: what is inside can be cut off and moved, and nothing of it leaves the machine.

Linux, root, iproute2 and nftables; where they are missing the test is skipped (:func:`require`).  The address range is
the one that RFC 2544 sets aside for tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from helpouts.testing.plugin import require

_NUMBERS = count()
_RULES = "add table inet fault; add chain inet fault {hook} {{ type filter hook {hook} priority 0; }}; "


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")


class Network:
    """A network namespace on a cable to this machine; made by :func:`network`."""

    def __init__(self, name: str, cable: str, subnet: str, folder: Path) -> None:
        self.name = name
        self._cable = cable
        self._subnet = subnet
        self._folder = folder
        self.address = f"{subnet}.1"
        """This machine, as seen from inside."""
        self.inside = 2
        """The last part of the address inside."""

    def _within(self, *command: str) -> None:
        _run("ip", "netns", "exec", self.name, *command)

    def build(self) -> None:
        """Lay the cable.

        :raises OSError: when the machine does not allow it.
        """
        _run("ip", "netns", "add", self.name)
        far = f"{self._cable}i"
        _run("ip", "link", "add", self._cable, "type", "veth", "peer", "name", far, "netns", self.name)
        _run("ip", "address", "add", f"{self.address}/24", "dev", self._cable)
        _run("ip", "link", "set", self._cable, "up")
        for device in ("lo", far):
            self._within("ip", "link", "set", device, "up")
        self._settle()

    def _settle(self) -> None:
        self._within("ip", "address", "add", f"{self._subnet}.{self.inside}/24", "dev", f"{self._cable}i")
        # Browsers look for addresses where the way out is.
        self._within("ip", "route", "add", "default", "via", self.address)

    def remove(self) -> None:
        """Take everything away."""
        for command in (("ip", "netns", "delete", self.name), ("ip", "link", "delete", self._cable)):
            subprocess.run(command, capture_output=True, check=False)

    def cut(self, *what: str) -> None:
        """Let through nothing of this, in either direction: rules of nft such as ``udp dport 1-65535``; all when empty.

        What was cut before is joined again.
        """
        self.join()
        rules = [f"add rule inet fault {hook} {rule} drop; " for rule in what or ("",) for hook in ("input", "output")]
        self._within("nft", "".join(_RULES.format(hook=hook) for hook in ("input", "output")) + "".join(rules))

    def slow(self, kbps: int) -> None:
        """Let through so many kilobits a second in either direction; what is more is lost (a policer, not a queue).

        What was cut before is joined again.
        """
        self.join()
        rate = f"limit rate over {kbps * 125} bytes/second burst {kbps * 25} bytes drop; "
        rules = [f"add rule inet fault {hook} {rate}" for hook in ("input", "output")]
        self._within("nft", "".join(_RULES.format(hook=hook) for hook in ("input", "output")) + "".join(rules))

    def join(self) -> None:
        """Everything passes again."""
        self._within("nft", "add table inet fault; delete table inet fault")

    def move(self) -> None:
        """What is inside gets another address; the one before is gone at once."""
        self._within("ip", "address", "flush", "dev", f"{self._cable}i", "scope", "global")
        self.inside += 1
        self._settle()

    def rebind(self) -> None:
        """A router on the way gives the UDP flows another address; what is inside knows nothing of it.  Works once."""
        address = f"{self._subnet}.77"
        self._within("ip", "address", "add", f"{address}/24", "dev", f"{self._cable}i")
        before = f"{self._subnet}.{self.inside}"
        # Rewritten packet by packet: what connection tracking knows already would not be translated.
        chain = "add chain ip router {} {{ type filter hook {} priority {}; }}"
        rule = "add rule ip router {} meta l4proto udp ip {} {} ip {} set {}"
        self._within(
            "nft",
            "; ".join(
                (
                    "add table ip router",
                    chain.format("out", "postrouting", 300),
                    rule.format("out", "saddr", before, "saddr", address),
                    chain.format("back", "prerouting", -350),
                    rule.format("back", "daddr", address, "daddr", before),
                )
            ),
        )

    def launcher(self, program: str) -> str:
        """The path of a program that runs ``program`` inside, with all arguments and open files."""
        path = self._folder / Path(program).name
        path.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {program} "$@"\n')
        path.chmod(0o755)
        return str(path)


@contextmanager
def network() -> Iterator[Network]:
    """A network with nothing in it yet."""
    if not all(map(shutil.which, ("ip", "nft"))):
        require("a network of its own", "apt-get install iproute2 nftables")
    number = next(_NUMBERS)
    with tempfile.TemporaryDirectory() as folder:
        name = f"hp{os.getpid() % 100_000}n{number}"
        made = Network(name, name, f"198.{18 + os.getpid() // 256 % 2}.{(os.getpid() + number) % 256}", Path(folder))
        try:
            try:
                made.build()
            except OSError as error:
                require("a network of its own", f"run as root ({error})")
            yield made
        finally:
            made.remove()
