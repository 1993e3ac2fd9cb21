"""The supervisor of `attest serve --workers`, with workers that only hold the port."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests.reliability.serving import until
from tests.servers import free_port

SUPERVISOR = """
import sys
from assistant.server.serve import bound
from assistant.server.workers import Supervisor
port, worker = int(sys.argv[1]), sys.argv[2]
listener = bound("127.0.0.1", port)
command = lambda inherited: [sys.executable, "-c", worker, str(inherited)]
sys.exit(Supervisor(command, listener, 1, lambda: print("ready", flush=True)).run())
"""
WORKER = """
import pathlib, signal, sys, time
from assistant.server.serve import listen
from assistant.server.workers import Inherited
def wait_for(name):
    while not pathlib.Path({folder!r}, name).exists():
        time.sleep(0.02)
inherited = Inherited.parse(sys.argv[1])
listener = inherited.socket()
def end(*_):
    listener.close()
    wait_for("answered")
    sys.exit()
signal.signal(signal.SIGTERM, end)
wait_for("loaded")
listen(listener, "127.0.0.1")
inherited.tell()
while True:
    time.sleep(1)
"""


def test_connections_are_taken_only_while_a_worker_would_accept_them(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-c", SUPERVISOR, str(port), WORKER.format(folder=str(tmp_path))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        try:
            until(lambda: _children(supervisor.pid))
            assert not _is_taken(port)
            (tmp_path / "loaded").touch()
            assert supervisor.stdout is not None
            assert supervisor.stdout.readline() == "ready\n"
            assert _is_taken(port)
            supervisor.send_signal(signal.SIGTERM)
            until(lambda: not _is_taken(port))
            assert supervisor.poll() is None
        finally:
            (tmp_path / "answered").touch()
            supervisor.terminate()
    assert supervisor.returncode == 0


def _children(process: int) -> bool:
    return subprocess.run(["pgrep", "-P", str(process)], stdout=subprocess.DEVNULL, check=False).returncode == 0


def _is_taken(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
