"""Pages reach every live process that the configuration names, and nothing else; the doctor finds one that is not."""

from __future__ import annotations

import pytest

from helpouts.cli.doctor import findings
from helpouts.db import migrate
from helpouts.errors import ConfigurationError
from helpouts.runtime import Runtime
from helpouts.sessions import nodes
from helpouts.web.app import create_app


def configured(runtime: Runtime, **options: object) -> Runtime:
    return Runtime(runtime.config.replace(**options), runtime.database, runtime.registry)


def test_the_policy_names_each_live_process_once(runtime: Runtime) -> None:
    origins = ("https://live2.example.org", "https://live.example.org", "https://live2.example.org/")
    site = configured(runtime, live_url="https://live.example.org/a", live_origins=origins)
    policy = create_app(site).test_client().get("/healthz").headers["Content-Security-Policy"]
    reached = next(part for part in policy.split("; ") if part.startswith("connect-src"))
    assert reached == (
        "connect-src 'self' https://live.example.org wss://live.example.org"
        " https://live2.example.org wss://live2.example.org"
    )


@pytest.mark.parametrize("origin", ["live2.example.org", "https://", "https://a; script-src *", "wss://a.example"])
def test_what_is_no_origin_is_refused_at_the_start(runtime: Runtime, origin: str) -> None:
    with pytest.raises(ConfigurationError, match="live_origins"):
        create_app(configured(runtime, live_origins=(origin,)))


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("http://127.0.0.1:8001", True),  # live_url, by default
        ("http://127.0.0.1:8000/live-2", True),  # a path of the site
        ("https://n2.live.example.org/a", True),
        ("https://live3.example.org", False),
        ("http://127.0.0.1:9001", False),
    ],
)
def test_the_doctor_finds_a_live_process_that_no_page_may_reach(runtime: Runtime, url: str, known: bool) -> None:
    site = configured(runtime, public_url="http://127.0.0.1:8000", live_origins=("https://*.live.example.org",))
    with site.database.write_engine.begin() as connection:
        for name, metadata, versions in migrate.branches(site.registry):
            migrate.command.stamp(migrate.alembic_config(name, metadata, versions, connection), "head")
    with runtime.database.write() as db:
        nodes.announce(db, "n2", url)
    found = [str(problem.text) for problem in findings(site) if "live process n2" in str(problem.text)]
    assert found == ([] if known else [f"pages may not reach the live process n2 at {url}"])
