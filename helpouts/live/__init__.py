"""The live process: rooms over WebSockets."""
