"""The tools of the room: importing this package registers the messages of each."""

from helpouts.live.tools import chat

__all__ = ["chat"]
