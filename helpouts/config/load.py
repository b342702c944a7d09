"""Reads the configuration and refuses what it does not know."""

from __future__ import annotations

import base64
import contextlib
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
        """A copy with some options changed.

        :raises ConfigurationError: for an unknown key or a value of the wrong kind.
        """
        return Config({**self._values, **_checked(changes)})

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
        if not path.exists():
            _make_once(path, secrets.token_bytes(32))
        key = path.read_bytes()
        if len(key) != 32:
            raise ConfigurationError(f"{path} is not a key of 32 bytes: restore it from a backup")
        return key


def _make_once(path: Path, content: bytes) -> None:
    """Write a file that nobody ever sees half written; whoever comes second keeps what the first has made."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def load_config(environ: Mapping[str, str] | None = None, file: Path | None = None, **overrides: Any) -> Config:
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
                raise ConfigurationError(f"{name} is not an option: see 'helpouts doctor --options'")
            values[key] = _fitting(_BY_KEY[key], _parse(_BY_KEY[key], text), name)
    values.update(_checked(overrides))
    return Config(values)


def _checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    for key in changes:
        if key not in _BY_KEY:
            raise ConfigurationError(f"{key!r} is not an option: see 'helpouts doctor --options'")
    return {key: _fitting(_BY_KEY[key], value, repr(key)) for key, value in changes.items()}


def _fitting(option: Option, value: Any, name: str) -> Any:
    """The value, a list as a tuple, when it is what the option allows; ``name`` is how the message calls it."""
    if option.type is list:
        if not isinstance(value, (list, tuple)) or not all(isinstance(part, str) for part in value):
            raise ConfigurationError(f"{name} must be a list of names")
        return tuple(value)
    kind: type = type(value)
    if kind is not option.type:
        raise ConfigurationError(f"{name} must be of type {option.type.__name__}, not {kind.__name__}")
    if option.choices and value not in option.choices:
        raise ConfigurationError(f"{name} must be one of {', '.join(option.choices)}, not {value!r}")
    if option.minimum is not None and value < option.minimum:
        raise ConfigurationError(f"{name} must be at least {option.minimum}, not {value}")
    if option.maximum is not None and value > option.maximum:
        raise ConfigurationError(f"{name} must be at most {option.maximum}, not {value}")
    return value


def _from_file(path: Path) -> dict[str, Any]:
    try:
        loaded = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
    for key in loaded:
        if key not in _BY_KEY:
            raise ConfigurationError(f"{path}: {key!r} is not an option: see 'helpouts doctor --options'")
    return {key: _fitting(_BY_KEY[key], value, f"{path}: {key!r}") for key, value in loaded.items()}


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
