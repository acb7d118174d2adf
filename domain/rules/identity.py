"""Which entries of the public register are one customer: phones, family, company (A5, A6, A7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from ..record import Envelope
from ..rulebook import Edition
from ..visitor import Entry, VisitorRegistered, VisitorRelated


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
    names_of: dict[object, list[tuple[Envelope, VisitorRegistered]]] = defaultdict(list)
    relations: set[object] = set()
    for envelope in sorted(history, key=lambda envelope: envelope.position):
        fact = envelope.fact
        if isinstance(fact, VisitorRegistered):
            for before, registered in names_of[envelope.stream]:
                found.append(_same_phone(before, registered, envelope, fact, edition))
            if fact.same_name_as is None:  # one entry speaks for all of its name, so long files stay cheap
                names_of[envelope.stream].append((envelope, fact))
        elif isinstance(fact, VisitorRelated) and (key := (envelope.command_id, fact)) not in relations:
            relations.add(key)  # the same fact stands in both files
            proven = "yes" if fact.proven else "no"
            case = {"link": "relation", "names": "unknown", "relation": fact.relation, "proven": proven}
            row = edition.row_for("attribution.same_customer", case)
            same = row.then["customers"] == "one"
            facts = (envelope.position,)
            found.append(Link(fact.visitor, fact.to, "relation", fact.relation, same, row.clauses, facts))
    return found


def _same_phone(
    before: Envelope, registered: VisitorRegistered, now: Envelope, fact: VisitorRegistered, edition: Edition
) -> Link:
    names = "other"
    if not (registered.has_name and fact.has_name):
        names = "unknown"
    elif (fact.same_name_as or fact.registration) == (registered.same_name_as or registered.registration):
        names = "same"
    case = {"link": "same_phone", "names": names, "relation": "none", "proven": "no"}
    row = edition.row_for("attribution.same_customer", case)
    return Link(
        Entry(before.stream, registered.registration),
        Entry(now.stream, fact.registration),
        "same_phone",
        names,
        row.then["customers"] == "one",
        row.clauses,
        (before.position, now.position),
    )


def customer_of(entry: Entry, all_links: Sequence[Link]) -> Customer:
    """The customer an entry belongs to: everything reached through links that hold."""
    neighbours: dict[Entry, list[Link]] = defaultdict(list)
    for link in all_links:
        neighbours[link.one].append(link)
        neighbours[link.other].append(link)
    entries, to_visit = {entry}, [entry]
    while to_visit:
        for link in neighbours[to_visit.pop()]:
            for end in (link.one, link.other):
                if link.same and end not in entries:
                    entries.add(end)
                    to_visit.append(end)
    return Customer(
        frozenset(entries),
        tuple(link for link in all_links if link.same and link.one in entries),
        tuple(link for link in all_links if not link.same and (link.one in entries) != (link.other in entries)),
    )
