"""Works out from the facts alone what an append writes beside them, and compares it with the tables: whatever was
written by halves, twice, or out of order shows as a difference."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from psycopg import sql

from application.entries import unit_key
from application.office_files import OfficeFiles, adopted_edition
from application.privacy import Contact, Keyring
from domain import site as sites
from domain.access import KeyIssued
from domain.attribution import Question, attribute
from domain.dispute import DisputeOpened
from domain.record import Envelope
from domain.rulebook import Editions, InForce
from domain.sale import SaleRecorded
from domain.site import RulebookAdopted, Site, SiteOpened, StaffEnrolled
from domain.visitor import Entry, Moment, VisitorRegistered

from .offices import Store

Claim = tuple[str, bytes, UUID]
Command = tuple[UUID, UUID, UUID, int, int]
"""Actor, id, stream and version of the first fact, number of facts."""


class Tables(msgspec.Struct, frozen=True):
    """What stands beside the facts."""

    position: int
    claims: frozenset[Claim]
    persons: frozenset[UUID]
    commands: frozenset[Command]


def read_tables(store: Store) -> Tables:
    """The tables as they are, read as the database's owner in one snapshot."""
    with psycopg.connect(store.uri) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

        def rows(table: str, columns: str) -> list[tuple[Any, ...]]:
            query = sql.SQL(f"SELECT {columns} FROM {{}}").format(sql.Identifier(store.schema, table))
            return connection.execute(query, binary=True).fetchall()

        return Tables(
            rows("head", "position")[0][0],
            frozenset(rows("claim", "kind, key, subject")),
            frozenset(row[0] for row in rows("person_key", "person")),
            frozenset(rows("command", "actor, id, stream, version, facts")),
        )


def derive_tables(facts: Sequence[Envelope], keyring: Keyring, files: OfficeFiles) -> Tables:
    """The tables as they must be for these facts, all of them of the one site that `files` is of."""
    persons: set[UUID] = set()
    claims: set[Claim] = set()
    keyring.load([fact.fact.person for fact in facts if isinstance(fact.fact, VisitorRegistered)])
    for envelope in facts:
        fact = envelope.fact
        if isinstance(fact, VisitorRegistered):
            persons.add(fact.person)
            claims |= _registration_claims(envelope, fact, keyring, files)
        elif isinstance(fact, StaffEnrolled):
            persons.add(fact.staff)
        elif isinstance(fact, KeyIssued):
            claims.add(("key", fact.key.encode(), envelope.site))
        elif isinstance(fact, SiteOpened):
            claims.add(("site", fact.name.encode(), envelope.stream))
        elif isinstance(fact, SaleRecorded):
            persons |= {fact.buyer_person} if fact.buyer_person else set()
            claims |= {("unit", files.key("unit", unit_key(fact.unit)), envelope.stream)} if fact.unit else set()
        elif isinstance(fact, DisputeOpened):
            about = str(fact.sale or fact.visitor.visitor)
            claims.add(("dispute", files.key("dispute", fact.label), envelope.stream))
            claims.add(("disputed", files.key("disputed", about), envelope.stream))
    return Tables(len(facts), frozenset(claims), frozenset(persons), frozenset(_commands(facts)))


def _registration_claims(
    envelope: Envelope, fact: VisitorRegistered, keyring: Keyring, files: OfficeFiles
) -> set[Claim]:
    """A file's phone is claimed with its first registration, a name whenever it is new to the file."""
    contact = keyring.open(fact.person, fact.sealed)
    assert isinstance(contact, Contact)
    claims: set[Claim] = set()
    if contact.phone and fact.registration == 1:
        claims.add(("phone", files.key("phone", contact.phone), envelope.stream))
    if contact.name and fact.same_name_as is None:
        claims.add(("name", files.key("name", contact.name), envelope.stream))
    return claims


def _commands(facts: Sequence[Envelope]) -> Iterable[Command]:
    given: dict[tuple[UUID, UUID], list[Envelope]] = {}
    for envelope in facts:
        given.setdefault((envelope.actor, envelope.command_id), []).append(envelope)
    for (actor, command), its in given.items():
        yield actor, command, its[0].stream, its[0].version, len(its)


def differences(facts: Sequence[Envelope], derived: Tables, found: Tables) -> list[str]:
    """Everything that is not as it must be, one line each; nothing when the record is whole."""
    said: list[str] = []
    if [fact.position for fact in facts] != list(range(1, len(facts) + 1)):
        said.append("positions are not dense from 1 on")
    if any(after.recorded_at < before.recorded_at for before, after in itertools.pairwise(facts)):
        said.append("times of recording fall")
    versions: Counter[UUID] = Counter()
    blocks: dict[tuple[UUID, UUID], int] = {}
    for fact in facts:
        versions[fact.stream] += 1
        if fact.version != versions[fact.stream]:
            said.append(f"position {fact.position}: version {fact.version} where {versions[fact.stream]} is next")
        command = (fact.actor, fact.command_id)
        if blocks.get(command, fact.position - 1) != fact.position - 1:
            said.append(f"position {fact.position}: command {fact.command_id} has put facts on record twice")
        blocks[command] = fact.position
    if found.position != derived.position:
        said.append(f"the head stands at {found.position}, the last fact at {derived.position}")
    for what in ("claims", "persons", "commands"):
        there, due = getattr(found, what), getattr(derived, what)
        said += [f"{what}: {row} stands for no fact" for row in there - due]
        said += [f"{what}: {row} is missing" for row in due - there]
    return said


def check_history(store: Store, site: UUID) -> list[Envelope]:
    """Read the whole log and check it; the facts, which are whole. Only this one site may be in the log."""
    with store.record() as record:
        keyring = Keyring(store.master, record.person_keys)
        files = OfficeFiles(record, keyring, site)
        facts = list(record.read())
        assert differences(facts, derive_tables(facts, keyring, files), read_tables(store)) == []
    return facts


class Owned(msgspec.Struct, frozen=True):
    """One visitor's file as the facts tell it: who registered in it, in order, and the owners that its entries have."""

    registered_by: tuple[UUID, ...]
    owners: frozenset[UUID | None]


def owners_from_facts(facts: Sequence[Envelope]) -> dict[UUID, Owned]:
    """For every visitor's file, who owns it in the eyes of each of its entries, worked out from facts and nothing else."""
    site: Site | None = None
    files: dict[UUID, list[Envelope]] = {}
    for envelope in facts:
        if isinstance(envelope.fact, VisitorRegistered):
            files.setdefault(envelope.stream, []).append(envelope)
        elif site is None or envelope.stream == site.id:
            site = sites.evolve(site, envelope)
    assert site is not None
    adoptions = [envelope for envelope in site.adoptions if isinstance(envelope.fact, RulebookAdopted)]
    editions = Editions(tuple(InForce(e.occurred_at, adopted_edition(e), e.position) for e in adoptions))
    roles = {staff: member.role for staff, member in site.staff.items()}
    now = Moment(facts[-1].recorded_at, facts[-1].recorded_at)
    found: dict[UUID, Owned] = {}
    for visitor, history in files.items():
        question = Question(history=history, editions=editions, zone=site.zone, roles=roles)
        registered = [e.fact for e in history if isinstance(e.fact, VisitorRegistered)]
        entries = [Entry(visitor, fact.registration) for fact in registered]
        owners = frozenset(attribute(question, entry, now).owner for entry in entries)
        found[visitor] = Owned(tuple(fact.by for fact in registered), owners)
    return found
