"""The HTTP API, version 1: what people do on the site, for programs that act for one person (docs/api.md)."""
