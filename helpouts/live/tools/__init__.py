"""The tools of the room: importing this package registers the messages of each."""

from helpouts.live.tools import chat, drawing, extending, notes, quality, recording, support

__all__ = ["chat", "drawing", "extending", "notes", "quality", "recording", "support"]
