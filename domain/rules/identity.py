"""Which entries of the public register are one customer: phones, family, company (A5, A6, A7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

import msgspec

from ..record import Envelope
from ..rulebook import Edition, Row
from ..visitor import Entry, VisitorRegistered, VisitorRelated

TELL_WHO = frozenset({VisitorRegistered, VisitorRelated})


class Link(msgspec.Struct, frozen=True):
    """Two entries that may be one customer, what the edition says, by which clauses, from which facts (positions)."""

    one: Entry
    other: Entry
    link: str
    relation: str
    same: bool
    clauses: tuple[str, ...]
    facts: tuple[int, ...]


class Customer(msgspec.Struct, frozen=True):
    """The entries that are one customer with the one asked about, the links that make it so, and those that
    failed to."""

    entries: frozenset[Entry]
    joined: tuple[Link, ...]
    apart: tuple[Link, ...]


def links(history: Iterable[Envelope], edition: Edition) -> list[Link]:
    """Every pair of entries that a phone or a relation connects, judged by the edition, in the record's order."""
    found: list[Link] = []
    names_of: dict[object, list[_Named]] = {}
    relations: set[object] = set()
    telling = [envelope for envelope in history if type(envelope.fact) in TELL_WHO]
    if len(telling) == 1 and type(telling[0].fact) is VisitorRegistered:
        return found  # as most customers are
    for envelope in sorted(telling, key=attrgetter("position")):
        fact = envelope.fact
        if type(fact) is VisitorRegistered:
            names = names_of.setdefault(envelope.stream.int, [])
            now = _Named(Entry(envelope.stream, fact.registration), fact, envelope.position)
            for before in names:
                found.append(_same_phone(before, now, edition))
            if fact.same_name_as is None:  # one entry speaks for all of its name, so long files stay cheap
                names.append(now)
        elif isinstance(fact, VisitorRelated) and (key := (envelope.command_id, fact)) not in relations:
            relations.add(key)  # the same fact stands in both files
            proven = "yes" if fact.proven else "no"
            row = edition.finding(row_of_pair, "relation", "unknown", fact.relation, proven)
            same = row.then["customers"] == "one"
            facts = (envelope.position,)
            found.append(Link(fact.visitor, fact.to, "relation", fact.relation, same, row.clauses, facts))
    return found


def row_of_pair(edition: Edition, link: str, names: str, relation: str, proven: str) -> Row:
    """The row of `attribution.same_customer` for two entries that a link connects."""
    case = {"link": link, "names": names, "relation": relation, "proven": proven}
    return edition.row_for("attribution.same_customer", case)


class _Named(NamedTuple):
    entry: Entry
    fact: VisitorRegistered
    position: int


def _same_phone(before: _Named, now: _Named, edition: Edition) -> Link:
    registered, fact, names = before.fact, now.fact, "other"
    if not (registered.has_name and fact.has_name):
        names = "unknown"
    elif (fact.same_name_as or fact.registration) == (registered.same_name_as or registered.registration):
        names = "same"
    row = edition.finding(row_of_pair, "same_phone", names, "none", "no")
    return Link(
        before.entry,
        now.entry,
        "same_phone",
        names,
        row.then["customers"] == "one",
        row.clauses,
        (before.position, now.position),
    )


def customer_of(entry: Entry, all_links: Sequence[Link]) -> Customer:
    """The customer an entry belongs to: everything reached through links that hold."""
    if not all_links:
        return Customer(frozenset((entry,)), (), ())
    neighbours: dict[Entry, list[Entry]] = defaultdict(list)
    for link in all_links:
        if link.same:
            neighbours[link.one].append(link.other)
            neighbours[link.other].append(link.one)
    entries, to_visit = {entry}, [entry]
    while to_visit:
        for neighbour in neighbours[to_visit.pop()]:
            if neighbour not in entries:
                entries.add(neighbour)
                to_visit.append(neighbour)
    return Customer(
        frozenset(entries),
        tuple(link for link in all_links if link.same and link.one in entries),
        tuple(link for link in all_links if not link.same and (link.one in entries) != (link.other in entries)),
    )
