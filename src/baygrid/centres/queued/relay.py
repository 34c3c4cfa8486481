"""Runs on a node, by the node's own Python (3.6 or later) and nothing else: standard input to a port of
127.0.0.1, and what comes from there, in frames (`ports.tunnels`), to standard output. Arguments: the port,
and the attempt, one of whose processes must listen on it."""

import os
import socket
import struct
import sys
import threading

LISTEN = "0A"
REACHED = ("0100007F", "0" * 8, "0" * 32, "0000000000000000FFFF00000100007F")
PIECE = 65536


def say(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def frame(kind: bytes, data: bytes = b"") -> None:
    say(struct.pack(">cI", kind, len(data)) + data)


def listening(port: int) -> set:  # type: ignore[type-arg]
    """Sockets that listen on it, reachable at 127.0.0.1 (proc(5), /proc/net/tcp), as a process has them."""
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if os.path.exists(table):  # noqa: PTH110
            with open(table) as file:  # noqa: PTH123
                rows = [line.split() for line in file][1:]
            for row in rows:
                address, _, number = row[1].partition(":")
                if row[3] == LISTEN and address in REACHED and int(number, 16) == port:
                    found.add("socket:[%s]" % row[9])  # noqa: UP031
    return found


def of_attempt(attempt: str) -> list:  # type: ignore[type-arg]
    """Processes of this user's that have its name in their environment."""
    mark = ("BAYGRID_ATTEMPT=" + attempt).encode()
    found = []
    for pid in os.listdir("/proc"):  # noqa: PTH208
        if pid.isdigit():
            try:
                with open("/proc/" + pid + "/environ", "rb") as file:  # noqa: PTH123
                    if mark in file.read().split(b"\0"):
                        found.append(pid)
            except OSError:
                pass
    return found


def has(pid: str, sockets: set) -> bool:  # type: ignore[type-arg]
    try:
        for name in os.listdir("/proc/" + pid + "/fd"):  # noqa: PTH208
            try:
                if os.readlink("/proc/" + pid + "/fd/" + name) in sockets:  # noqa: PTH115
                    return True
            except OSError:
                pass
    except OSError:
        pass
    return False


def inward(connection: socket.socket) -> None:
    try:
        data = os.read(0, PIECE)
        while data:
            connection.sendall(data)
            data = os.read(0, PIECE)
        connection.shutdown(socket.SHUT_WR)
    except OSError:  # the job reads no more
        pass


def main(port: int, attempt: str) -> None:
    sockets = listening(port)
    if not any(has(pid, sockets) for pid in of_attempt(attempt)):
        say(("\x15the job does not listen on port %d of 127.0.0.1" % port).encode())  # noqa: UP031
        return
    try:
        connection = socket.create_connection(("127.0.0.1", port), 10)
    except OSError as error:
        say(("\x15" + str(error)).encode())
        return
    connection.settimeout(None)
    say(b"\x06")
    sender = threading.Thread(target=inward, args=(connection,), daemon=True)
    sender.start()
    try:
        data = connection.recv(PIECE)
        while data:
            frame(b"d", data)
            data = connection.recv(PIECE)
    except OSError:  # it broke
        frame(b"z")
        return
    frame(b"z")
    sender.join()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
