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
import socket, sys
from assistant.server.workers import Supervisor
port, worker = int(sys.argv[1]), sys.argv[2]
listener = socket.create_server(("127.0.0.1", port))
command = lambda inherited: [sys.executable, "-c", worker, str(inherited)]
sys.exit(Supervisor(command, listener, 1, lambda: print("ready", flush=True)).run())
"""
WORKER = """
import pathlib, signal, sys, time
from assistant.server.workers import Inherited
inherited = Inherited.parse(sys.argv[1])
listener = inherited.socket()
def end(*_):
    listener.close()
    while not pathlib.Path({finished!r}).exists():  # an answer that takes long
        time.sleep(0.02)
    sys.exit()
signal.signal(signal.SIGTERM, end)
inherited.tell()
while True:
    time.sleep(1)
"""


def test_no_connection_is_taken_while_the_last_answers_are_finished(tmp_path: Path) -> None:
    port, finished = free_port(), tmp_path / "finished"
    command = [sys.executable, "-c", SUPERVISOR, str(port), WORKER.format(finished=str(finished))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        try:
            assert supervisor.stdout is not None
            assert supervisor.stdout.readline() == "ready\n"
            assert _is_taken(port)
            supervisor.send_signal(signal.SIGTERM)
            until(lambda: not _is_taken(port))
            assert supervisor.poll() is None
        finally:
            finished.touch()
    assert supervisor.returncode == 0


def _is_taken(port: int) -> bool:
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
