"""The fixtures of :mod:`parts`; third parties are not collected here, their suites run where they are installed."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from parts import built, environment

__all__ = ["built", "environment"]
collect_ignore = ["third_party"]
