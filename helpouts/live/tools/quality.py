"""What the browsers measure of the call: kept in memory, written down every few seconds for the operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpouts.live.messages import Message, handles
from helpouts.live.rooms import Connection, Room
from helpouts.sessions import quality

if TYPE_CHECKING:
    from helpouts.live.node import Node


@handles("quality")
async def measured(_node: Node, _room: Room, connection: Connection, message: Message) -> None:
    """The newest reading of this browser; there is no answer."""
    connection.quality = quality.reading(message)
