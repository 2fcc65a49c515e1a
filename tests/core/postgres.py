"""A PostgreSQL server of our own for tests, that can be killed and started again."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL's programs, None where none is installed."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    if installed:
        return installed[-1]
    known = shutil.which("initdb")
    return Path(known).resolve().parent if known else None


def _server_user() -> str | None:
    """PostgreSQL refuses root: the user that the package makes, where the tests run as root."""
    if os.getuid() != 0:
        return None
    pwd.getpwnam("postgres")
    return "postgres"


class PostgresServer:
    """One cluster in a temporary folder, on a free port of this machine, without passwords."""

    def __init__(self) -> None:
        found = programs()
        assert found is not None
        self._bin, self._user = found, _server_user()
        self.folder = Path(tempfile.mkdtemp(prefix="carreau-postgres-"))
        if self._user:
            shutil.chown(self.folder, self._user)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._run("initdb", "-D", self._data, "-U", "carreau", "-A", "trust", "--no-sync", "-E", "UTF8")
        self.start()

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    @property
    def url(self) -> str:
        """What `CARREAU_QUEUE_URL` would be."""
        return f"postgresql://carreau@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._bin / program, *arguments], user=self._user, cwd="/", capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        """Start the server and wait until it takes connections; after a kill it recovers by itself."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", self._data, "-l", log, "-w", "-t", "60", "-o", options, "start")

    def kill(self) -> None:
        """SIGKILL the server with all its processes, as a power cut would."""
        pid = int((Path(self._data) / "postmaster.pid").read_text().splitlines()[0])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for one in (pid, *map(int, children)):
            os.kill(one, signal.SIGKILL)
        while any(_lives(int(one)) for one in (pid, *children)):
            time.sleep(0.02)
        (Path(self._data) / "postmaster.pid").unlink()

    def close(self) -> None:
        """Stop the server and remove its folder."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
