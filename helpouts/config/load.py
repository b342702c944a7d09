"""Reads the configuration and refuses what it does not know."""

from __future__ import annotations

import base64
import os
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpouts.config.options import OPTIONS, Option
from helpouts.errors import ConfigurationError

_BY_KEY = {option.key: option for option in OPTIONS}


class Config:
    """The settled configuration; options are attributes, typed as :data:`OPTIONS` says."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getattr__(self, key: str) -> Any:
        try:
            return self.__dict__["_values"][key]
        except KeyError:
            raise AttributeError(f"there is no option {key!r}") from None

    def replace(self, **changes: Any) -> Config:
        """A copy with some options changed."""
        return Config({**self._values, **changes})

    @property
    def data_dir(self) -> Path:
        """The data folder, absolute; made on first use, readable by its owner only."""
        path = Path(self._values["data"]).resolve()
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    @property
    def database_url(self) -> str:
        """The database's SQLAlchemy URL."""
        return self._values["database"] or f"sqlite:///{self.data_dir / 'helpouts.sqlite3'}"

    @property
    def actual_live_port(self) -> int:
        """The port of the live process."""
        return int(self._values["live_port"] or self._values["port"] + 1)

    @property
    def actual_live_url(self) -> str:
        """Where browsers reach the live process, without a slash at the end."""
        if self._values["live_url"]:
            return str(self._values["live_url"]).rstrip("/")
        scheme, _, rest = str(self._values["public_url"]).partition("://")
        host = rest.split("/")[0].rsplit(":", 1)[0]
        return f"{scheme}://{host}:{self.actual_live_port}"

    def key(self, name: str) -> bytes:
        """A 32-byte key: from the option ``name`` (base64), else made once and kept in the data folder."""
        if self._values[name]:
            try:
                key = base64.urlsafe_b64decode(self._values[name])
            except ValueError:
                key = b""
            if len(key) != 32:
                raise ConfigurationError(f"{name} must be 32 bytes in base64: make one with 'openssl rand -base64 32'")
            return key
        path = self.data_dir / name
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(secrets.token_bytes(32))
        return path.read_bytes()


def load_config(
    environ: Mapping[str, str] | None = None, file: Path | None = None, **overrides: Any
) -> Config:
    """Settle the configuration: overrides, then ``HELPOUTS_*``, then the TOML file, then defaults.

    The file is ``file``, else the one that ``HELPOUTS_CONFIG`` names, else none.

    :raises ConfigurationError: for an unknown key or a value of the wrong kind; the message names it.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {option.key: option.default for option in OPTIONS}
    path = file or (Path(environ["HELPOUTS_CONFIG"]) if environ.get("HELPOUTS_CONFIG") else None)
    if path is not None:
        values.update(_from_file(path))
    for name, text in environ.items():
        if name.startswith("HELPOUTS_") and name not in {"HELPOUTS_CONFIG"}:
            key = name.removeprefix("HELPOUTS_").lower()
            if key not in _BY_KEY:
                raise ConfigurationError(f"the environment variable {name} is not an option: see 'helpouts doctor --options'")
            values[key] = _parse(_BY_KEY[key], text)
    values.update(overrides)
    return Config(values)


def _from_file(path: Path) -> dict[str, Any]:
    try:
        loaded = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
    for key, value in loaded.items():
        if key not in _BY_KEY:
            raise ConfigurationError(f"{path}: {key!r} is not an option: see 'helpouts doctor --options'")
        if not isinstance(value, _BY_KEY[key].type):
            raise ConfigurationError(f"{path}: {key!r} must be of type {_BY_KEY[key].type.__name__}")
    return loaded


def _parse(option: Option, text: str) -> Any:
    if option.type is bool:
        if text.lower() in {"1", "true", "yes", "on"}:
            return True
        if text.lower() in {"0", "false", "no", "off", ""}:
            return False
        raise ConfigurationError(f"HELPOUTS_{option.key.upper()} must be 0 or 1, not {text!r}")
    if option.type is int:
        try:
            return int(text)
        except ValueError:
            raise ConfigurationError(f"HELPOUTS_{option.key.upper()} must be a number, not {text!r}") from None
    if option.type is list:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text
