"""A program whose threads all do something for the first time at the same instant, again and again: every try is a fork
of this process, which has imported everything and used nothing. `test_first_use` runs it and reads how the tries ended.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from application import rulebooks
from application.event_store.mapper import RecordedEvent, decode, encode
from application.privacy import Contact, Keyring
from application.yaml_files import Document
from domain.dispute import DisputeOpened
from domain.record import Draft, Fact
from domain.sale import SaleRecorded
from domain.site import StaffEnrolled
from domain.visitor import Entry, VisitorFollowedUp, VisitorRegistered, VisitorRelated

THREADS = 8
SOMEBODY = UUID(int=1)
ENTRY = Entry(SOMEBODY, 1)
FACTS: tuple[Fact, ...] = (
    SaleRecorded(visitor=ENTRY, by=(SOMEBODY,), amount=Decimal(1), unit=None),
    VisitorRelated(visitor=ENTRY, to=ENTRY, relation="spouse", proven=True),
    DisputeOpened(visitor=ENTRY, sale=None, by=SOMEBODY, label="甲"),
    VisitorFollowedUp(registration=1, by=SOMEBODY, how="call"),
    StaffEnrolled(staff=SOMEBODY, sealed=b"", role="consultant"),
    VisitorRegistered(
        registration=1,
        person=SOMEBODY,
        sealed=b"",
        has_name=True,
        has_phone=True,
        same_name_as=None,
        by=SOMEBODY,
        via="visit",
    ),
)


def recorded(fact: Fact) -> RecordedEvent:
    """The fact as the store holds it."""
    at = datetime(2026, 5, 1, tzinfo=UTC)
    draft = Draft(
        site=SOMEBODY,
        stream=SOMEBODY,
        version=1,
        occurred_at=at,
        entered_at=None,
        actor=SOMEBODY,
        command_id=SOMEBODY,
        correlation_id=SOMEBODY,
        edition=None,
        fact=fact,
    )
    return RecordedEvent(
        originator_id=SOMEBODY,
        originator_version=1,
        topic=fact.stored_name,
        state=encode(draft),
        id=1,
        recorded_at=at,
    )


def facts() -> Callable[[int], object]:
    """Reading facts of different types, which share some of their parts."""
    stored = [recorded(fact) for fact in FACTS]
    return lambda thread: decode(stored[thread % len(stored)])


def contacts() -> Callable[[int], object]:
    """Opening a sealed contact."""
    keyring = Keyring(bytes(32), lambda _: {})
    person = keyring.new_person().person
    sealed = keyring.seal(person, Contact(name="王小明", phone="+8613800000001"))
    return lambda thread: keyring.open(person, sealed)


def rulebook() -> Callable[[int], object]:
    """Reading a rulebook; its YAML has been parsed before, or the threads would not arrive together."""
    text = (rulebooks.SHIPPED / "revised-reception" / "2000-01-01.yaml").read_text("utf-8")
    document = Document(text, "rulebook")
    rulebooks.Document = lambda text, file: document  # type: ignore[assignment]
    return lambda thread: rulebooks.parse_edition(text, f"{thread}.yaml")


def try_it(use: Callable[[int], object]) -> None:
    """All threads at once."""
    together = threading.Barrier(THREADS)

    def one(thread: int) -> None:
        together.wait(20)
        use(thread)

    with ThreadPoolExecutor(THREADS) as threads:
        for future in [threads.submit(one, thread) for thread in range(THREADS)]:
            future.result()


def main() -> None:
    use = {"facts": facts, "contacts": contacts, "rulebook": rulebook}[sys.argv[1]]()
    sys.setswitchinterval(1e-6)
    ends: Counter[int] = Counter()
    for _ in range(int(sys.argv[2])):
        if (child := os.fork()) == 0:
            try_it(use)
            os._exit(0)
        ends[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])] += 1
    sys.stdout.buffer.write(msgspec.json.encode(ends))


if __name__ == "__main__":
    main()
