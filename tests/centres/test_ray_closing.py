"""A Ray engine that is closed while it asks."""

import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from baygrid.centres.engine import EngineSilent
from baygrid.centres.ray import RayEngine

NOW = 1_795_370_000_000


def test_closing_while_a_call_connects_leaves_no_connection_open(monkeypatch):
    """As QueuedCentre.close does not wait for the call that is under way."""
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        engine = RayEngine(f"http://127.0.0.1:{server.getsockname()[1]}/", Path("/nowhere"), lambda: NOW)
        connect = socket.create_connection

        def closed_meanwhile(*arguments, **options):
            engine.close()
            return connect(*arguments, **options)

        monkeypatch.setattr(socket, "create_connection", closed_meanwhile)
        asking = pool.submit(engine.inventory)
        line, _ = server.accept()
        with line:
            line.settimeout(10)
            line.recv(65_536)
            line.sendall(reply)
            assert line.recv(1) == b"", "our side ends it"
        with pytest.raises(EngineSilent):
            asking.result(10)
