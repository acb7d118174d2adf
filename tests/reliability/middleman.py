"""A go-between on a socket of its own between a program and PostgreSQL: it can lose, cut and delay what passes, at the
very moment at which an append is under way."""

from __future__ import annotations

import enum
import select
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from types import TracebackType

from psycopg.conninfo import conninfo_to_dict, make_conninfo

CHUNK = 65536
AT_MOST_SECONDS = 60.0


class Trouble(enum.StrEnum):
    """What may befall one append."""

    CUT_BEFORE_CALL = "the call is lost, and the connection with it"
    CUT_WITHIN_REPLY = "half of the reply arrives, then the connection is cut"
    CUT_AFTER_REPLY = "it is carried out, its reply is lost, and the connection with it"
    HOLD_REPLY = "it is carried out, its reply comes too late"
    HOLD_CALL = "the call itself comes too late, when the caller has given up"


class Middleman:
    """Listens for PostgreSQL's clients at `uri` and passes on what they say, save for the trouble it is asked to make."""

    def __init__(self, upstream: str) -> None:
        self._upstream = conninfo_to_dict(upstream)
        self._folder = Path(tempfile.mkdtemp(prefix="lunpai-"))
        self.uri = make_conninfo(upstream, host=str(self._folder), port="5432")
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(self._folder / ".s.PGSQL.5432"))
        self._listening.listen(64)
        self._trouble: Trouble | None = None
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._ended = threading.Event()
        self.refuses = threading.Event()  # new connections are cut at once
        self.talks = threading.Event()  # while cleared, nothing passes in either direction
        self.talks.set()
        self.made = threading.Event()  # the trouble asked for has been made
        self.released = threading.Event()  # what was held may go on
        self.all_past = threading.Event()  # what was held has gone on, and been answered
        self._start(self._accept)

    def make(self, trouble: Trouble) -> None:
        """Make this trouble for the next append, once."""
        for event in (self.made, self.released, self.all_past):
            event.clear()
        self._trouble = trouble

    def __enter__(self) -> Middleman:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self.released.set()
        self.talks.set()
        for thread in self._threads:
            thread.join(AT_MOST_SECONDS)
        self._listening.close()
        shutil.rmtree(self._folder)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            if select.select([self._listening], [], [], 0.02)[0]:
                client, _ = self._listening.accept()
                if self.refuses.is_set():
                    client.close()
                else:
                    self._start(self._serve, client)

    def _dial(self) -> socket.socket:
        host, port = str(self._upstream.get("host") or "localhost"), str(self._upstream.get("port") or "5432")
        if not host.startswith("/"):
            return socket.create_connection((host, int(port)))
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(f"{host}/.s.PGSQL.{port}")
        except OSError:
            server.close()
            raise
        return server

    def _serve(self, client: socket.socket) -> None:
        """Pass on what the two say until one of them has gone."""
        with client:
            try:
                with self._dial() as server:
                    while not self._ended.is_set() and self._pass_on(client, server):
                        pass
            except OSError:
                return  # one of them has gone in the middle of a word

    def _pass_on(self, client: socket.socket, server: socket.socket) -> bool:
        """Pass on one piece, if there is one; whether to go on."""
        ready, _, _ = select.select([client, server], [], [], 0.02)
        self.talks.wait(AT_MOST_SECONDS)
        if server in ready:
            said = server.recv(CHUNK)
            client.sendall(said)
            if not said:
                return False
        if client in ready:
            said = client.recv(CHUNK)
            if _is_append(said) and (trouble := self._take_trouble()):
                return self._make(trouble, said, client, server)
            server.sendall(said)
            return bool(said)
        return True

    def _take_trouble(self) -> Trouble | None:
        with self._lock:
            trouble, self._trouble = self._trouble, None
            return trouble

    def _make(self, trouble: Trouble, call: bytes, client: socket.socket, server: socket.socket) -> bool:
        """Make the trouble for the append whose call is given; whether the connection goes on."""
        if trouble is Trouble.CUT_BEFORE_CALL:
            self.made.set()
            return False
        if trouble is Trouble.HOLD_CALL:
            self.made.set()
            self.released.wait(AT_MOST_SECONDS)
        server.sendall(call)
        reply = _whole_reply(server)
        if trouble is Trouble.CUT_WITHIN_REPLY:
            client.sendall(reply[: len(reply) // 2])
        if trouble is Trouble.HOLD_REPLY:
            self.made.set()
            self.released.wait(AT_MOST_SECONDS)
        self.made.set()
        self.all_past.set()
        if trouble in (Trouble.CUT_AFTER_REPLY, Trouble.CUT_WITHIN_REPLY):
            return False
        client.sendall(reply)  # mostly in vain: whoever waited has hung up
        return True


def _is_append(said: bytes) -> bool:
    """Whether this begins with a Bind of the prepared statement "append" (PostgreSQL's protocol, message formats)."""
    return said[:1] == b"B" and said[5:13] == b"\0append\0"


def _whole_reply(server: socket.socket) -> bytes:
    """Everything until the server is ready for the next query (ReadyForQuery)."""
    reply = b""
    while reply[-6:-1] != b"Z\0\0\0\5":
        said = server.recv(CHUNK)
        if not said:
            raise ConnectionError("the server hung up")
        reply += said
    return reply
