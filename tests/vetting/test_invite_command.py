"""``helpouts invite`` makes a code that works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from helpouts.cli.invite import invite
from helpouts.runtime import Runtime
from helpouts.vetting.service import check_code

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(runtime: Runtime, tmp_path: Path) -> dict[str, str]:
    """What the command connects to: the database of the test."""
    return {"data": str(tmp_path / "data"), "database": runtime.database.url}


def test_the_code_that_is_printed_can_be_redeemed(runtime: Runtime, settings: dict[str, str]) -> None:
    result = CliRunner().invoke(invite, ["--category", "it", "--email", "a@example.org", "--json"], obj=settings)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.output.splitlines()[-1])
    with runtime.database.read() as db:
        invitation = check_code(db, answer["code"])
        assert (invitation.category, invitation.email) == ("it", "a@example.org")
    assert answer["url"].endswith(f"/join?code={answer['code']}")


def test_an_unknown_category_is_an_error_that_names_the_known_ones(settings: dict[str, str]) -> None:
    result = CliRunner().invoke(invite, ["--category", "astrology"], obj=settings)
    assert result.exit_code == 1
    assert "enabled: education, fashion, home_garden, it" in result.output


def test_a_missing_category_is_wrong_use(settings: dict[str, str]) -> None:
    assert CliRunner().invoke(invite, [], obj=settings).exit_code == 2
