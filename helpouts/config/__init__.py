"""Configuration: environment variables ``HELPOUTS_*`` over one TOML file over the defaults."""

from helpouts.config.load import Config, load_config
from helpouts.config.options import OPTIONS, Option

__all__ = ["OPTIONS", "Config", "Option", "load_config"]
