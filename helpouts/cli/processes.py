"""``helpouts web``, ``helpouts live``, ``helpouts worker``: one kind of process each."""

from __future__ import annotations

import signal
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from helpouts.cli.base import Runtime, pass_runtime
from helpouts.logs import set_up_logs


class Gunicorn(BaseApplication):  # type: ignore[misc]  # gunicorn has no type hints
    """Gunicorn, configured from our own configuration."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        super().__init__()

    def load_config(self) -> None:
        """Gunicorn's hook: its settings."""
        config = self.runtime.config
        settings: dict[str, Any] = {
            "bind": f"{config.host}:{config.port}",
            "workers": config.web_workers,
            "threads": 4,
            "worker_class": "gthread",
            "accesslog": None,
            "loglevel": "warning",
            "timeout": 60,
            "graceful_timeout": 5,
            "preload_app": True,
            "control_socket_disable": True,
            "post_fork": lambda _server, _worker: self.runtime.database.dispose(),
        }
        for key, value in settings.items():
            if key in self.cfg.settings:
                self.cfg.set(key, value)

    def load(self) -> Any:
        """Gunicorn's hook: the WSGI application."""
        from helpouts.web.app import create_app

        return create_app(self.runtime)


@click.command()
@pass_runtime
def web(runtime: Runtime) -> None:
    """Serve pages, API, webhooks and the console."""
    set_up_logs("web")
    Gunicorn(runtime).run()


@click.command()
@pass_runtime
def worker(runtime: Runtime) -> None:
    """Do the jobs: mails, reminders, money, events for plugins."""
    import helpouts.jobs.catalogue  # noqa: F401  # registers the core's handlers
    from helpouts.jobs.worker import Worker

    set_up_logs("worker")
    working = Worker(runtime)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: working.stopping.set())
    working.run()
