"""What all tests of the core share; the other fixtures are those that plugin authors get too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from helpouts.runtime import Runtime
from helpouts.testing.factories import make_customer

# A machine that has much to do is no fault of what is tested.
settings.register_profile("unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture
def others_write(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], None]:
    """``others_write(module, name)``: somebody else writes each time when this function is called."""

    def during(module: Any, name: str) -> None:
        function = getattr(module, name)

        def looking(*given: Any) -> Any:
            with runtime.database.write() as db:
                make_customer(db, "Rita Rival")
            return function(*given)

        monkeypatch.setattr(module, name, looking)

    return during
