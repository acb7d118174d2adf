"""Names in reports: opened when read, masked unless asked otherwise, and gone when the key is gone."""

from __future__ import annotations

from application.privacy import Keyring
from projections.names import Shown, shown
from projections.reports import ownership
from tests.projections.given import PHONE, House, Reader
from tests.projections.test_reports import day


def test_names_are_masked_unless_asked_for(house: House, reader: Reader) -> None:
    house.register("2026-03-02 09:00")
    rows = ownership(reader.read(house), day("2026-03-02")).rows
    assert shown(house.keyring, rows) == [Shown("赵*", "138****8294")]
    assert shown(house.keyring, rows, in_clear=True) == [Shown("赵强", f"+86{PHONE}")]


def test_what_was_not_given_is_not_shown(house: House, reader: Reader) -> None:
    house.register("2026-03-02 09:00", phone=None)
    house.register("2026-03-02 10:00", name=None)
    rows = ownership(reader.read(house), day("2026-03-02")).rows
    assert {(one.name, one.phone) for one in shown(house.keyring, rows)} == {("赵*", None), (None, "138****8294")}


def test_without_the_persons_key_nothing_is_shown(house: House, reader: Reader, master: bytes) -> None:
    house.register("2026-03-02 09:00")
    rows = ownership(reader.read(house), day("2026-03-02")).rows
    erased = Keyring(master, lambda persons: {})
    assert shown(erased, rows, in_clear=True) == [Shown(None, None, erased=True)]


def test_the_tables_hold_no_name(house: House, reader: Reader) -> None:
    house.register("2026-03-02 09:00")
    source = reader.read(house)
    dumped = source.connection.execute(f'SELECT * FROM "{source.views}".ownership').fetchall()
    assert "赵" not in repr(dumped) and PHONE not in repr(dumped)
    assert PHONE.encode() not in b"".join(value for row in dumped for value in row if isinstance(value, bytes))
