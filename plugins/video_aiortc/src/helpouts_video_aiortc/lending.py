"""Streams that a leg has begun and the fast path goes on with, until something changes."""

from __future__ import annotations

from helpouts_video_aiortc.memory import ffi
from helpouts_video_aiortc.rewrite import Outgoing
from helpouts_video_aiortc.srtp import Cipher
from helpouts_video_aiortc.wire import Route


class Loan:
    """What of one browser's media the fast path may take.

    :param packets: how many it takes before they are counted anew.
    """

    def __init__(self, packets: int) -> None:
        self.flow = ffi.new("struct flow *", {"allowance": packets})
        """A ``struct flow`` (fastpath.h), in which the allowance counts also where nothing is lent."""
        self._lent: object = None

    def lend(
        self, payload: int, opening: Cipher, sealing: Cipher, outgoing: Outgoing, route: Route, *, shown: bool
    ) -> None:
        """Let the fast path have the packets that follow of this payload type, until :meth:`recall`.

        :param shown: whether Python sees each of them once it is opened.
        """
        if not opening.context or not sealing.context:
            return
        numbers, flow = outgoing.lend(payload), self.flow
        if numbers is None:
            return
        if not flow.open:
            self._lent = (opening, sealing, outgoing)  # C points into them
            flow.opening, flow.sealing = ffi.cast("void *", opening.context), ffi.cast("void *", sealing.context)
            flow.route, flow.streams, flow.open = route, [ffi.NULL] * len(flow.streams), True
            flow.transport_shift, flow.shown = outgoing.transport.shift, shown
        flow.streams[payload] = numbers

    def recall(self) -> None:
        """The next packet of each stream is the leg's again."""
        self.flow.open = False
