"""Personal data: cleaned, sealed with a key per person, looked up by keyed hash, shown masked, gone with its key."""

from __future__ import annotations

import base64
import os
import stat
import threading
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from application.event_store.appending import PersonKey, StoreRefused
from application.privacy import (
    KEY_BYTES,
    Contact,
    Keyring,
    clean_name,
    clean_phone,
    mask_name,
    mask_phone,
    master_key,
    names_agree,
)
from domain.refusals import Refusal

FULL_WIDTH = str.maketrans("0123456789+", "０１２３４５６７８９＋")
ZHAO = Contact(name="赵强", phone="+8613900000001")


class Store:
    """Wrapped person keys, as the record keeps them."""

    def __init__(self, *keys: PersonKey) -> None:
        self.wrapped = {key.person: key.wrapped for key in keys}

    def __call__(self, persons: Sequence[UUID]) -> dict[UUID, bytes]:
        return {person: self.wrapped[person] for person in persons if person in self.wrapped}


@pytest.fixture
def sealed(master: bytes) -> tuple[PersonKey, bytes]:
    """A person's key and the sealed contact."""
    keyring = Keyring(master, Store())
    person = keyring.new_person()
    return person, keyring.seal(person.person, ZHAO)


# Cleaning


@pytest.mark.parametrize(
    "phone",
    [
        "13900000001",
        " 139 0000 0001 ",
        "139-0000-0001",
        "+86 139 0000 0001",
        "+86(139)00000001",
        "0086 13900000001",
        "13900000001".translate(FULL_WIDTH),
        "+8613900000001".translate(FULL_WIDTH),
        "139\u300000000001",
    ],
)
def test_a_phone_is_one_number_however_it_is_written(phone: str) -> None:
    assert clean_phone(phone) == "+8613900000001"


@pytest.mark.parametrize(("phone", "clean"), [("0571-88888888", "+8657188888888"), ("+1 650 253 0000", "+16502530000")])
def test_land_lines_and_other_countries_have_phones_too(phone: str, clean: str) -> None:
    assert clean_phone(phone) == clean


@pytest.mark.parametrize(
    "phone",
    [
        "",
        "  ",
        "\t",
        "\u3000",
        "139",
        "95555",
        "12345678901",
        "139000000012",
        "13900000001abc",
        "139\x0000000001",
        "139\n00000001",
        "13900000001/13800000002",
        "赵强",
        "9" * 300,
    ],
)
def test_what_is_no_phone_is_refused_without_repeating_it(phone: str) -> None:
    with pytest.raises(Refusal) as caught:
        clean_phone(phone)
    assert caught.value.code == "bad_value"
    assert not phone.strip() or phone.strip() not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("赵强", "赵强"),
        ("  赵强\t", "赵强"),
        ("赵　强", "赵 强"),
        ("Ｌｉ　 Ｌｅｉ", "Li Lei"),
        ("赵\n强", "赵 强"),
        ("古丽·阿依", "古丽·阿依"),
        ("x" * 100, "x" * 100),
    ],
)
def test_a_name_is_trimmed_and_folded(name: str, clean: str) -> None:
    assert clean_name(name) == clean


@pytest.mark.parametrize(
    "name", ["", "  ", "\u3000", "...", "·", "-", "赵\x00强", "赵\x07强", "赵\x7f强", "赵\ud800", "赵\ue000", "x" * 101]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        clean_name(name)
    assert caught.value.code == "bad_value" and (not name.strip() or name not in str(caught.value))


@pytest.mark.parametrize("name", ["赵\u200b强", "\u202e赵强", "赵强\ufeff", "赵\u2060强"])
def test_invisible_characters_make_no_other_name(name: str) -> None:
    try:
        assert clean_name(name) == "赵强"
    except Refusal as refusal:
        assert refusal.code == "bad_value"


@for_all(st.text(max_size=30))
def test_cleaning_a_clean_name_changes_nothing(name: str) -> None:
    try:
        clean = clean_name(name)
    except Refusal:
        return
    assert clean_name(clean) == clean


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("赵强", "赵强", True),
        ("赵先生", "赵强", True),
        ("赵强", "赵女士", True),
        ("欧阳先生", "欧阳锋", True),
        ("赵强", "赵刚", False),
        ("赵先生", "钱强", False),
        ("先生", "赵强", False),
    ],
)
def test_a_surname_with_a_title_agrees_with_names_of_that_surname(one: str, other: str, agree: bool) -> None:
    assert names_agree(one, other) is names_agree(other, one) is agree


@pytest.mark.parametrize("other", ["赵女士", "赵太太"])
def test_two_titles_are_two_people(other: str) -> None:
    assert not names_agree("赵先生", other)


# Masks


@pytest.mark.parametrize(
    ("phone", "mask"),
    [
        ("+8613812341234", "138****1234"),
        ("+8657188888888", "571****8888"),
        ("+16502530000", "165****0000"),
        ("+6561234567", "656****4567"),
        ("+861234567", "****67"),
    ],
)
def test_a_phone_is_masked(phone: str, mask: str) -> None:
    assert mask_phone(phone) == mask
    assert Contact(phone=phone).masked_phone == mask


@pytest.mark.parametrize(("name", "mask"), [("赵", "赵*"), ("赵强", "赵*"), ("欧阳娜娜", "欧***")])
def test_a_name_is_masked(name: str, mask: str) -> None:
    assert mask_name(name) == mask


def test_without_a_phone_there_is_nothing_to_mask() -> None:
    assert Contact(name="赵强").masked_phone is None


# Sealing


@pytest.mark.parametrize("contact", [ZHAO, Contact(), Contact(name="赵强"), Contact(phone="+8613900000001")])
def test_what_was_sealed_is_opened(master: bytes, contact: Contact) -> None:
    keyring = Keyring(master, Store())
    person = keyring.new_person()
    sealed = keyring.seal(person.person, contact)
    assert keyring.open(person.person, sealed) == contact
    assert Keyring(master, Store(person)).open(person.person, sealed) == contact


def test_nothing_of_it_shows_and_no_two_seals_are_alike(master: bytes) -> None:
    keyring = Keyring(master, Store())
    person = keyring.new_person()
    one, other = keyring.seal(person.person, ZHAO), keyring.seal(person.person, ZHAO)
    assert one != other and person.person != keyring.new_person().person
    for part in ("赵强".encode(), b"13900000001", b"name"):
        assert part not in one + other + person.wrapped


@pytest.mark.parametrize("place", [0, 11, 12, -1])
def test_what_was_tampered_with_is_not_opened(master: bytes, sealed: tuple[PersonKey, bytes], place: int) -> None:
    person, content = sealed
    forged = bytearray(content)
    forged[place] ^= 1
    with pytest.raises(StoreRefused, match=str(person.person)):
        Keyring(master, Store(person)).open(person.person, bytes(forged))


@pytest.mark.parametrize("left", [12, 20])
def test_what_was_cut_short_is_not_opened(master: bytes, sealed: tuple[PersonKey, bytes], left: int) -> None:
    person, content = sealed
    with pytest.raises(StoreRefused):
        Keyring(master, Store(person)).open(person.person, content[:left])


@pytest.mark.parametrize("left", [0, 7])
def test_what_was_cut_to_nothing_is_not_opened(master: bytes, sealed: tuple[PersonKey, bytes], left: int) -> None:
    person, content = sealed
    with pytest.raises(StoreRefused):
        Keyring(master, Store(person)).open(person.person, content[:left])


def test_another_persons_key_or_id_does_not_open_it(master: bytes, sealed: tuple[PersonKey, bytes]) -> None:
    person, content = sealed
    keyring = Keyring(master, Store(person))
    other = keyring.new_person()
    with pytest.raises(StoreRefused):
        keyring.open(other.person, content)


def test_a_seal_is_bound_to_its_person(master: bytes, sealed: tuple[PersonKey, bytes]) -> None:
    """The same key under another id does not open it either: the id is part of what is authenticated."""
    person, content = sealed
    keyring = Keyring(master, Store(person))
    keyring.load([person.person])
    other = uuid4()
    keyring._opened[other] = keyring._opened[person.person]
    with pytest.raises(StoreRefused):
        keyring.open(other, content)


def test_with_its_key_destroyed_a_person_is_gone(master: bytes, sealed: tuple[PersonKey, bytes]) -> None:
    person, content = sealed
    assert Keyring(master, Store()).open(person.person, content) is None


def test_a_wrapped_key_that_was_tampered_with_is_refused(master: bytes, sealed: tuple[PersonKey, bytes]) -> None:
    person, content = sealed
    forged = PersonKey(person.person, person.wrapped[:-1] + bytes([person.wrapped[-1] ^ 1]))
    with pytest.raises(StoreRefused):
        Keyring(master, Store(forged)).open(person.person, content)


def test_many_keys_are_fetched_in_one_go(master: bytes) -> None:
    first = Keyring(master, Store())
    keys = [first.new_person() for _ in range(3)]
    store, calls = Store(*keys), []

    def fetch(persons: Sequence[UUID]) -> dict[UUID, bytes]:
        calls.append(len(persons))
        return store(persons)

    keyring = Keyring(master, fetch)
    keyring.load([key.person for key in keys])
    keyring.load([key.person for key in keys])
    assert calls == [3]
    assert all(keyring.open(key.person, first.seal(key.person, ZHAO)) == ZHAO for key in keys)
    assert calls == [3]


# Look-ups


def test_hashes_differ_by_site_kind_value_and_master_key(master: bytes) -> None:
    keyring, other = Keyring(master, Store()), Keyring(os.urandom(KEY_BYTES), Store())
    site = uuid4()
    hashes = {
        keyring.hash(site, "phone", "+8613900000001"),
        keyring.hash(uuid4(), "phone", "+8613900000001"),
        keyring.hash(site, "name", "+8613900000001"),
        keyring.hash(site, "phone", "+8613900000002"),
        other.hash(site, "phone", "+8613900000001"),
    }
    assert len(hashes) == 5 and all(len(found) == 32 for found in hashes)
    assert keyring.hash(site, "phone", "+8613900000001") in hashes


def test_a_kind_never_runs_into_its_value(master: bytes) -> None:
    keyring, site = Keyring(master, Store()), uuid4()
    assert keyring.hash(site, "a", "bc") != keyring.hash(site, "ab", "c")


def test_the_fingerprint_tells_keys_apart(master: bytes) -> None:
    assert Keyring(master, Store()).fingerprint() == Keyring(master, Store()).fingerprint()
    assert Keyring(os.urandom(KEY_BYTES), Store()).fingerprint() != Keyring(master, Store()).fingerprint()
    assert master not in Keyring(master, Store()).fingerprint()


# The master key


@pytest.fixture(autouse=True)
def no_given_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LUNPAI_MASTER_KEY", raising=False)


def test_the_master_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    made = master_key(home)
    assert len(made) == KEY_BYTES and master_key(home) == made
    assert stat.S_IMODE((home / "master.key").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o601])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    master_key(tmp_path)
    (tmp_path / "master.key").chmod(mode)
    with pytest.raises(StoreRefused, match=r"chmod 600 .*master\.key"):
        master_key(tmp_path)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_key_for_its_owner_alone_is_taken(tmp_path: Path, mode: int) -> None:
    made = master_key(tmp_path)
    (tmp_path / "master.key").chmod(mode)
    assert master_key(tmp_path) == made


BAD_KEYS = [
    "not base64 at all!",
    base64.b64encode(b"x" * 31).decode(),
    base64.b64encode(b"x" * 33).decode(),
    base64.b64encode(b"x" * 32).decode()[:-1],
    "ключ",
]


@pytest.mark.parametrize("text", [*BAD_KEYS, ""])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "master.key"
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    with pytest.raises(StoreRefused, match=r"master\.key must hold base64 of 32 bytes"):
        master_key(tmp_path)


@pytest.mark.parametrize("text", BAD_KEYS)
def test_a_given_key_that_is_none_is_refused_without_showing_it(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUNPAI_MASTER_KEY", text)
    with pytest.raises(StoreRefused, match="LUNPAI_MASTER_KEY must hold base64 of 32 bytes") as caught:
        master_key(tmp_path)
    assert text not in str(caught.value)


def test_a_given_key_needs_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUNPAI_MASTER_KEY", f" {base64.b64encode(b'k' * 32).decode()}\n")
    assert master_key(tmp_path / "none") == b"k" * 32
    assert not (tmp_path / "none").exists()


def test_where_no_key_can_be_made_one_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreRefused, match="can't be read or made") as caught:
        master_key(tmp_path / "file")
    assert "\n" not in str(caught.value)


def test_two_first_starts_end_up_with_one_key(tmp_path: Path) -> None:
    found: list[bytes] = []
    starts = [threading.Thread(target=lambda: found.append(master_key(tmp_path))) for _ in range(8)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(found) == 8 and len(set(found)) == 1
