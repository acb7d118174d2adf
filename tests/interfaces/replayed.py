"""A small sales office in memory whose matters are replayed, and what its people and visitors are called."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from application.commands import Stamp
from application.event_store.memory import MemoryRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.replay.matter import find_matter
from application.replay.report import Asked, Replay, replay
from application.rulebooks import Shelf
from application.sales_office import open_site
from domain.visitor import Entry

ZONE = ZoneInfo("Asia/Shanghai")
NAMES = {"lin": "林芳", "wang": "王磊", "zhou": "周敏", "chen": "陈静"}
VISITOR, PHONE = "赵大强", "13800001234"
RECORDED = datetime(2026, 6, 1, 2, 30, tzinfo=UTC)
"""The record's clock stands still; replays know what was known by then."""
MASKED, MASKED_PHONE = "赵**", "138****1234"


class Office:
    """Commands with the times of an older record, people by their labels, one visitor unless another is named."""

    def __init__(self, rulebook: str = "forty-three-articles", *, names: dict[str, str] = NAMES) -> None:
        record = Record(MemoryRecorder(lambda: RECORDED))
        self.actor = uuid4()
        opened = self.stamp("2000-01-01 00:00")
        self.office = open_site(
            record,
            Keyring(b"k" * 32, record.person_keys),
            Shelf(),
            name="样板案场",
            timezone=str(ZONE),
            stamp=opened,
        )
        self.staff: dict[str, UUID] = {}
        for label, name in names.items():
            role = "manager" if label == "chen" else "consultant"
            enrolled = self.office.enrol_staff(self.stamp("2000-01-01 00:00"), name=name, role=role)
            assert enrolled.subject is not None
            self.staff[label] = enrolled.subject
        self.office.adopt(self.stamp("2000-01-01 00:00"), rulebook=rulebook)
        self.entries: list[Entry] = []

    def stamp(self, at: str, entered: str | None = None) -> Stamp:
        return Stamp(actor=self.actor, at=instant(at), entered_at=instant(entered or at))

    def register(
        self,
        at: str,
        by: str,
        *,
        entered: str | None = None,
        name: str = VISITOR,
        phone: str = PHONE,
        via: str = "visit",
    ) -> None:
        answer = self.office.register(
            self.stamp(at, entered), by=self.staff[by], name=name, phone=phone, via=via, historic=True
        )
        assert answer.entry is not None
        self.entries.append(answer.entry)

    def follow_up(self, at: str, by: str, *, entered: str | None = None) -> None:
        stamp = self.stamp(at, entered)
        self.office.follow_up(stamp, entry=self.entries[0], by=self.staff[by], how="message", historic=True)

    def sell(
        self, at: str, *by: str, amount: str = "10000.01", unit: str = "8-1-1704", date_only: bool = False
    ) -> None:
        self.office.sell(
            self.stamp(at),
            entry=self.entries[0],
            by=[self.staff[label] for label in by],
            amount=Decimal(amount),
            unit=unit,
            date_only=date_only,
            historic=True,
        )

    def dispute(self, at: str, by: str, *, label: str = "D1", unit: str | None = None) -> UUID:
        about: Entry | UUID = self.entries[0]
        if unit is not None:
            about = self._sale(unit)
        opened = self.office.open_dispute(self.stamp(at), about=about, by=self.staff[by], label=label)
        assert opened.subject is not None
        return opened.subject

    def rule(
        self,
        at: str,
        dispute: UUID,
        *,
        owner: str | None = None,
        shares: dict[str, str] | None = None,
        reason: str = "met first",
    ) -> None:
        self.office.rule(
            self.stamp(at),
            dispute=dispute,
            by=self.staff["chen"],
            reason=reason,
            owner=self.staff[owner] if owner else None,
            shares={self.staff[label]: Fraction(share) for label, share in shares.items()} if shares else None,
        )

    def adopt(self, at: str, rulebook: str) -> None:
        self.office.adopt(self.stamp(at), rulebook=rulebook, by=self.staff["chen"])

    def replay(
        self, matter: str = PHONE, *, at: str | None = None, known_at: str | None = None, **asked: Any
    ) -> Replay:
        """What there is to show, as of a moment in the site's time."""
        moment, known = instant(at) if at else None, instant(known_at) if known_at else RECORDED
        return replay(self.office, find_matter(self.office, matter), Asked(at=moment, known_at=known, **asked))

    def _sale(self, unit: str) -> UUID:
        sale = find_matter(self.office, unit).sale
        assert sale is not None
        return sale.id


def instant(text: str) -> datetime:
    """A moment in the site's time, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


def contested() -> Office:
    """Two consultants and a late entry: 林芳's claim lapses, 王磊's is renewed late, 周敏 closes; 林芳 disputes."""
    office = Office()
    office.register("2026-03-02 09:00", "lin")
    office.register("2026-03-10 10:00", "wang")
    office.register("2026-04-02 14:00", "wang", via="call")
    office.follow_up("2026-04-10 09:00", "wang", entered="2026-04-14 18:30")
    office.follow_up("2026-04-12 11:00", "lin")
    office.sell("2026-04-20 18:00", "zhou", date_only=True)
    office.dispute("2026-04-21 09:00", "lin", unit="8-1-1704")
    return office


def overruled(**ruling: Any) -> Office:
    """The same, and the manager rules."""
    office = contested()
    dispute = find_matter(office.office, "D1").disputes[0]
    office.rule("2026-04-22 10:00", dispute.id, **ruling)
    return office


def ruled() -> Office:
    """A visitor, not a sale, is ruled on: 王磊 instead of 林芳."""
    office = Office("revised-reception")
    office.register("2026-03-02 09:00", "lin")
    dispute = office.dispute("2026-03-06 09:00", "wang")
    office.rule("2026-03-07 09:00", dispute, owner="wang")
    office.follow_up("2026-03-09 10:00", "wang")
    return office


def adopted() -> Office:
    """Another rulebook comes into force while a claim runs; two close the sale."""
    office = Office("revised-reception")
    office.register("2026-03-02 09:00", "lin")
    office.adopt("2026-03-05 00:00", "forty-three-articles")
    office.follow_up("2026-03-20 10:00", "lin")
    office.register("2026-04-02 15:00", "wang", via="web")
    office.sell("2026-04-10 10:10", "lin", "zhou")
    return office


def long_names() -> Office:
    """Names that are too long, and names that mean mischief."""
    names = {
        "lin": "<script>alert(1)</script>&\"'",
        "wang": "W" * 100,
        "chen": "陈静经理" * 20,
        "zhou": "\u202eevil",
    }
    office = Office(names=names)
    office.register("2026-03-02 09:00", "lin", name="<b>x")
    for number, label in enumerate(("wang", "chen", "zhou"), start=1):
        office.register(f"2026-03-0{2 + number} 09:00", label)
    return office


def many(count: int, *, apart: timedelta = timedelta(), owner: int = 1) -> Office:
    """A registration and `count` follow-ups; every `owner`-th is the owner's, the rest are somebody else's."""
    office = Office()
    office.register("2026-03-02 09:00", "lin")
    at = datetime(2026, 3, 2, 9)
    for number in range(1, count + 1):
        at += apart
        office.follow_up(at.isoformat(" "), "wang" if number % owner else "lin")
    return office
