"""Opening the store for a command: a real server by LUNPAI_DATABASE_URL, else the embedded one in the data folder."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from application.embedded_postgres import EmbeddedPostgres, default_home
from application.event_store.appending import StoreRefused
from application.event_store.memory import MemoryRecorder
from application.event_store.migrations import drop_schema, prepare_store
from application.event_store.postgres import POOL_SIZE, PostgresRecorder
from application.event_store.record import Record
from application.privacy import Keyring, master_key
from application.replay.matter import Matter, find_matter
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, find_site, site_names
from domain.refusals import Refusal
from projections.live import ReadSide
from projections.views import VIEWS

from .arguments import worded

SCHEMA = "lunpai"
Say = Callable[[str], None]


class Store(msgspec.Struct, frozen=True):
    """An open store: the record, the keys to the personal data in it, and the rulebooks at hand."""

    record: Record
    keyring: Keyring
    shelf: Shelf

    def matter(self, name: str | None, text: str) -> tuple[SalesOffice, Matter]:
        """What `text` means at the site of that name, or at the only site that knows it.

        Raises Refusal unknown_site (no site yet, or several know it), unknown_visitor (none does).
        """
        names = [name] if name is not None else site_names(self.record)
        offices = [find_site(self.record, self.keyring, self.shelf, each) for each in names]
        found: list[tuple[SalesOffice, Matter]] = []
        nothing: Refusal | None = None
        for office in offices:
            try:
                found.append((office, find_matter(office, text)))
            except Refusal as refusal:
                if refusal.code != "unknown_visitor":
                    raise
                nothing = refusal
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            there = ", ".join(office.files.site().name for office, _ in found)
            several = worded(
                f"several sites know this, name one with --site: {there}", f"几个案场都有，请用--site指明：{there}"
            )
            raise Refusal("unknown_site", several)
        raise nothing or _no_site()

    def office(self, name: str | None) -> SalesOffice:
        """The site of that name, or the only one there is. Raises Refusal unknown_site."""
        if name is not None:
            return find_site(self.record, self.keyring, self.shelf, name)
        names = site_names(self.record)
        if not names:
            raise _no_site()
        if len(names) > 1:
            there = ", ".join(names)
            raise Refusal("unknown_site", worded(f"name one with --site: {there}", f"请用--site指明：{there}"))
        return find_site(self.record, self.keyring, self.shelf, names[0])

    @property
    def keeps_views(self) -> bool:
        """Whether there are views at all: a store in memory has none."""
        return isinstance(self.record.recorder, PostgresRecorder)

    @property
    def read_side(self) -> ReadSide:
        """The views of this store."""
        recorder = self.record.recorder
        assert isinstance(recorder, PostgresRecorder), "a store in memory has no views"
        return ReadSide(recorder, tuple(VIEWS.values()))

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the sites; of the first by name where they differ, and UTC where there is none yet."""
        names = site_names(self.record)
        return self.office(names[0]).files.site().zone if names else ZoneInfo("UTC")


def _no_site() -> Refusal:
    detail = worded(
        "there is none yet: import one first (see lunpai import --help)",
        "还没有案场：请先导入一个，见lunpai import --help",
    )
    return Refusal("unknown_site", detail)


def shelf() -> Shelf:
    """The shipped rulebooks, and those in LUNPAI_HOME/rulebooks."""
    return Shelf(default_home() / "rulebooks")


@contextmanager
def database(say: Say) -> Iterator[str]:
    """The address of a running PostgreSQL. Raises EmbeddedPostgresError, StoreRefused with one clear line."""
    if given := os.environ.get("LUNPAI_DATABASE_URL"):
        yield given
        return
    if os.environ.get("LUNPAI_EMBEDDED", "").lower() in ("off", "no", "0", "false"):
        raise StoreRefused("the embedded database is off (LUNPAI_EMBEDDED): set LUNPAI_DATABASE_URL")
    server = EmbeddedPostgres(default_home())
    server.start(progress=say)
    try:
        yield server.uri
    finally:
        server.stop()


@contextmanager
def open_store(say: Say) -> Iterator[Store]:
    """The store of this installation, migrated, with its keys."""
    home = default_home()
    with database(say) as uri:
        yield from _opened(uri, SCHEMA, master_key(home))


@contextmanager
def scratch_store(kind: str, say: Say) -> Iterator[Store]:
    """A store for trying things: in memory, or in a schema of its own on the real database that is dropped
    afterwards."""
    if kind == "memory":
        record = Record(MemoryRecorder())
        yield Store(record, Keyring(secrets.token_bytes(32), record.person_keys), shelf())
        return
    with database(say) as uri:
        schema = f"scratch_{secrets.token_hex(8)}"
        try:
            yield from _opened(uri, schema, secrets.token_bytes(32))
        finally:
            drop_schema(uri, schema)


def _opened(uri: str, schema: str, master: bytes) -> Iterator[Store]:
    _prepare(uri, schema, master)
    store = store_at(uri, schema, master)
    try:
        yield store
    finally:
        store.record.close()


def _prepare(uri: str, schema: str, master: bytes) -> None:
    prepare_store(uri, schema, Keyring(master, lambda persons: {}).fingerprint())


@contextmanager
def prepared_database(say: Say) -> Iterator[str]:
    """The address of this installation's database, migrated; for a program whose other processes open the store."""
    with database(say) as uri:
        _prepare(uri, SCHEMA, master_key(default_home()))
        yield uri


def store_at(uri: str, schema: str = SCHEMA, master: bytes | None = None, *, threads: int = POOL_SIZE) -> Store:
    """The store in a database that has been prepared. `threads`: so many carry out commands at a time, each on a
    connection of its own."""
    record = Record(PostgresRecorder(uri, schema=schema, pool_size=max(threads, POOL_SIZE)))
    return Store(record, Keyring(master or master_key(default_home()), record.person_keys), shelf())


def sample_office() -> list[Path]:
    """The files of the made-up office that is shipped for trying things."""
    return sorted((Path(__file__).parent / "sample_office").glob("*.csv"))
