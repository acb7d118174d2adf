"""Rows a second for the import of the sample office, beside appending the same facts without deciding anything."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from uuid import uuid4

from application.commands import Stamp
from application.event_store.appending import Beside, CommandKey
from application.event_store.migrations import prepare_store
from application.event_store.postgres import PostgresRecorder
from application.event_store.record import Record
from application.importing.importer import import_sheets, read_all
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, open_site
from domain.record import Draft

from .figures import Figure, beside
from .filling import MASTER, RULEBOOK

SAMPLE_OFFICE = Path(str(files("interfaces"))) / "sample_office"
SAMPLE_DAY = date(2026, 6, 30)
"""The sample office's last rows are from before this day."""


def measure(uri: str, rounds: int, progress: Callable[[str], None]) -> Iterator[Figure]:
    """Each round imports everything into an empty store, and appends the same commands to another."""
    ours: list[float] = []
    theirs: list[float] = []
    paths = sorted(SAMPLE_OFFICE.glob("*.csv"))
    for number in range(rounds):
        progress(f"import of the sample office: round {number + 1} of {rounds}")
        with closing(_record(uri)) as record:
            rows, seconds = _import(_office(record), paths)
            commands = [list(drafts) for _, drafts in groupby(record.read(), key=lambda e: (e.actor, e.command_id))]
        ours.append(rows / seconds)
        with closing(_record(uri)) as record:
            theirs.append(len(commands) / _append(record, commands))
    yield beside("import of the sample office", "rows/s", ours, "appends of the same commands", theirs)


def _record(uri: str) -> Record:
    schema = f"bench_import_{secrets.token_hex(4)}"
    prepare_store(uri, schema, b"bench")
    return Record(PostgresRecorder(uri, schema=schema))


def _office(record: Record) -> SalesOffice:
    keyring = Keyring(MASTER, record.person_keys)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    stamp = Stamp(actor=uuid4(), at=start, entered_at=start)
    office = open_site(record, keyring, Shelf(), name="bench", timezone="Asia/Shanghai", stamp=stamp)
    since = office.in_force_since(RULEBOOK, start.date())
    office.adopt(Stamp(actor=uuid4(), at=since, entered_at=since), rulebook=RULEBOOK)
    return office


def _import(office: SalesOffice, paths: Sequence[Path]) -> tuple[int, float]:
    """Rows put on record, and the seconds that reading the files and putting the rows on record took."""
    start = time.perf_counter()
    result = import_sheets(office, read_all(paths, office.files.site().zone, SAMPLE_DAY))
    seconds = time.perf_counter() - start
    rows = sum(sheet.added for sheet in result.sheets)
    assert rows, result.problems
    return rows, seconds


def _append(record: Record, commands: Sequence[Sequence[Draft]]) -> float:
    """Seconds for appending these commands one by one."""
    start = time.perf_counter()
    for drafts in commands:
        record.append(drafts, Beside(command=CommandKey(drafts[0].actor, drafts[0].command_id, bytes(32))))
    return time.perf_counter() - start
