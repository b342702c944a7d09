"""A throw-away PostgreSQL server for tests: its own folder, its own port, gone at the end.

It lives in memory where there is a file system for that (making a database from a template then takes 20 ms instead of
300) and is not durable; a benchmark asks for a durable one, on disk.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg

#: A file system in memory (Linux).
MEMORY = "/dev/shm"  # the folder in it has a random name and belongs to the server's user


class PostgresMissing(RuntimeError):
    """PostgreSQL's server programs are not on this machine; the message says how to get them."""


def _bin() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if found:
        return found[-1].parent
    path = shutil.which("initdb")
    if path:
        return Path(path).resolve().parent
    raise PostgresMissing("PostgreSQL is not installed: apt-get install postgresql")


class PostgresServer:
    """Starts on construction; :meth:`create` makes databases from a template; :meth:`stop` ends it.

    :param durable: on disk, with fsync and full-page writes as in production.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.bin = _bin()
        self._connection: psycopg.Connection | None = None
        place = None if durable or not os.access(MEMORY, os.W_OK) else MEMORY
        self.folder = Path(tempfile.mkdtemp(prefix="helpouts-pg-", dir=place))
        self._as: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            self._as = ["runuser", "-u", "postgres", "--"]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "helpouts", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1 -c max_connections=200"
        options += "" if durable else " -F -c full_page_writes=off"
        self._run("pg_ctl", "-D", data, "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run([*self._as, str(self.bin / program), *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://helpouts@/{name}?host={self.folder}&port={self.port}"

    def sql(self, statement: str) -> None:
        """Run one statement in the maintenance database."""
        if self._connection is None:
            address = {"host": "127.0.0.1", "port": self.port, "user": "helpouts", "dbname": "postgres"}
            self._connection = psycopg.connect(**address, autocommit=True)  # type: ignore[arg-type]  # a port is a number
        self._connection.execute(statement.encode())

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database from a template; its URL."""
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database and whoever is connected to it."""
        self.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self._connection is not None:
            self._connection.close()
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)
