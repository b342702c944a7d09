"""What all parts of the suite have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helpouts.payments.verify import violations
from helpouts.testing.payments.case import Case


class Checks:
    """Checks of the backend that the fixture ``case`` gives."""

    @pytest.fixture
    def case(self) -> Case:
        """The backend under test: override me."""
        raise pytest.UsageError("give the class a fixture 'case' that returns a Case")

    @pytest.fixture(autouse=True)
    def balanced_books(self, case: Case) -> Iterator[None]:
        """After every check, whatever it did, every invariant of the money holds."""
        yield
        with case.runtime.database.read() as db:
            assert violations(db) == ()
