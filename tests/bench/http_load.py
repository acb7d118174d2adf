"""A client for loading servers: keep-alive connections of one thread, requests made beforehand; the same for every
server, and so lean that it is not what is measured."""

from __future__ import annotations

import selectors
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

Requests = Callable[[int], bytes]
"""The nth request as it goes over the wire; no two of them need be the same."""

END_OF_HEAD, LENGTH = b"\r\n\r\n", b"content-length:"
ANSWERED_WITHIN_SECONDS = 30.0


class NotAnswered(Exception):
    """A server said something else than 200, or nothing at all."""


class _Connection:
    """`due`: when the request that waits for its answer was to be sent, by the monotonic clock."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=ANSWERED_WITHIN_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received, self.due = b"", 0.0

    def ask(self, request: bytes, due: float) -> None:
        self.due = due
        self.socket.sendall(request)

    def answered(self) -> bool:
        """Take in what has come; whether the answer is whole. Raises NotAnswered."""
        data = self.socket.recv(1 << 18)
        self.received += data
        head, end, body = self.received.partition(END_OF_HEAD)
        if not end:
            if not data:
                raise NotAnswered("the server hung up")
            return False
        if head[9:12] != b"200":
            raise NotAnswered(self.received.decode(errors="replace"))
        place = head.lower().index(LENGTH) + len(LENGTH)
        if len(body) < int(head[place:].split(b"\r\n", 1)[0]):
            return False
        self.received = b""
        return True


class Load:
    """So many connections to a server, opened anew for each measurement: servers hang up on who has nothing to ask.
    `asked` numbers the requests, through all measurements."""

    def __init__(self, port: int, connections: int) -> None:
        self.port, self.connections, self.asked = port, connections, 0

    def at_most(self, requests: Requests, seconds: float) -> tuple[int, float]:
        """How many answers came and in how many seconds, each connection asking again as soon as it is answered."""
        with self._connected() as selector:
            began = now = time.monotonic()
            for key in selector.get_map().values():
                self._ask(key.data, requests, began)
            answered, going_on = 0, self.connections
            while going_on:
                for connection in _answered(selector):
                    answered, now = answered + 1, time.monotonic()
                    if now - began < seconds:
                        self._ask(connection, requests, now)
                    else:
                        going_on -= 1
            return answered, now - began

    def paced(self, requests: Requests, rate: float, seconds: float) -> list[float]:
        """How long each answer took, in seconds, where requests come evenly, `rate` a second, whether or not the ones
        before are answered: who has to wait for a free connection has waited too."""
        with self._connected() as selector:
            began = time.monotonic()
            due = deque(began + number / rate for number in range(int(rate * seconds)))
            idle = deque(key.data for key in selector.get_map().values())
            took: list[float] = []
            while due or len(idle) < self.connections:
                now = time.monotonic()
                while due and due[0] <= now and idle:
                    self._ask(idle.popleft(), requests, due.popleft())
                until_next = max(0.0, due[0] - now) if due and idle else ANSWERED_WITHIN_SECONDS
                for connection in _answered(selector, until_next, expected=not (due and idle)):
                    took.append(time.monotonic() - connection.due)
                    idle.append(connection)
            return took

    def _ask(self, connection: _Connection, requests: Requests, due: float) -> None:
        connection.ask(requests(self.asked), due)
        self.asked += 1

    @contextmanager
    def _connected(self) -> Iterator[selectors.BaseSelector]:
        with ExitStack() as stack:
            selector = stack.enter_context(selectors.DefaultSelector())
            for _ in range(self.connections):
                connection = _Connection(self.port)
                stack.enter_context(connection.socket)
                selector.register(connection.socket, selectors.EVENT_READ, connection)
            yield selector


def _answered(
    selector: selectors.BaseSelector, at_most_seconds: float = ANSWERED_WITHIN_SECONDS, *, expected: bool = True
) -> Iterator[_Connection]:
    """The connections whose answers have become whole. Raises NotAnswered."""
    ready = selector.select(at_most_seconds)
    if expected and not ready:
        raise NotAnswered(f"nothing for {at_most_seconds:g} s")
    for key, _ in ready:
        if key.data.answered():
            yield key.data


def request(method: str, path: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode("ascii") + END_OF_HEAD + body


def wait_until_it_listens(port: int) -> None:
    """Raises NotAnswered."""
    deadline = time.monotonic() + ANSWERED_WITHIN_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise NotAnswered("nobody listens")
