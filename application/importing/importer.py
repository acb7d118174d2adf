"""From typed rows to facts: staff found or enrolled, each row one command whose id is its own, so that a
second run adds nothing."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID, uuid4, uuid5
from zoneinfo import ZoneInfo

import msgspec

from domain.refusals import REFUSALS, Refusal
from domain.visitor import Entry

from ..commands import Stamp
from ..desk import Answer
from ..sales_office import SalesOffice
from .problems import Problem
from .rows import FollowUpRow, RegisterRow, Row, SaleRow, Sheet, read_sheets

ORDER = {"register": 0, "follow_ups": 1, "sales": 2}
"""Registrations come first, whatever the files' order: the others look their visitors up. Ownership does not
depend on it."""


class SheetResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file or sheet: rows put on record now, known before, not taken."""

    file: str
    kind: str
    rows: int
    added: int
    known: int
    not_taken: int


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    sheets: tuple[SheetResult, ...]
    problems: tuple[Problem, ...]
    facts_added: int
    staff_enrolled: tuple[str, ...]
    unknown_columns: tuple[str, ...]


def read_all(paths: Sequence[Path], zone: ZoneInfo, today: date) -> list[Sheet]:
    """Every sheet of every file, before anything is put on record. Raises UnreadableFile: then nothing is imported."""
    return [sheet for path in paths for sheet in read_sheets(path, zone, today=today)]


def import_sheets(
    office: SalesOffice, sheets: Sequence[Sheet], progress: Callable[[int, int], None] = lambda done, total: None
) -> ImportResult:
    """Put the rows on record with their own times. `progress` gets rows done and rows in all.

    A row that is refused is reported and the rest goes on; the same row met again, in this run or an earlier
    one, adds nothing.
    """
    return _Import(office, progress).run(sheets)


class _NotTaken(Exception):
    """A row that can't be put on record: code and words."""

    def __init__(self, code: str, en: str, zh: str) -> None:
        super().__init__(en)
        self.code, self.en, self.zh = code, en, zh


class _Import:
    def __init__(self, office: SalesOffice, progress: Callable[[int, int], None]) -> None:
        self.office, self.progress = office, progress
        self.staff = office.files.staff_by_name()
        self.enrolled: list[str] = []
        self.problems: list[Problem] = []

    def run(self, sheets: Sequence[Sheet]) -> ImportResult:
        before = self.office.record.position()
        ordered = sorted(sheets, key=lambda sheet: ORDER[sheet.kind])
        total, done = sum(len(sheet.rows) for sheet in sheets), 0
        results: list[SheetResult] = []
        for sheet in ordered:
            self.problems.extend(sheet.problems)
            added = known = 0
            for row in sheet.rows:
                try:
                    new = self._take(row)
                    added, known = added + new, known + (not new)
                except _NotTaken as reason:
                    self._not_taken(sheet, row, reason.code, reason.en, reason.zh)
                except Refusal as refusal:
                    english, chinese = REFUSALS[refusal.code]
                    self._not_taken(sheet, row, refusal.code, f"{english} {refusal.detail}".strip(), chinese)
                done += 1
                self.progress(done, total)
            name = sheet.file + (f" [{sheet.sheet}]" if sheet.sheet else "")
            results.append(
                SheetResult(
                    file=name,
                    kind=sheet.kind,
                    rows=sheet.total_rows,
                    added=added,
                    known=known,
                    not_taken=sheet.total_rows - added - known,
                )
            )
        return ImportResult(
            sheets=tuple(results),
            problems=tuple(self.problems),
            facts_added=self.office.record.position() - before,
            staff_enrolled=tuple(self.enrolled),
            unknown_columns=tuple(dict.fromkeys(c for sheet in ordered for c in sheet.unknown_columns)),
        )

    def _not_taken(self, sheet: Sheet, row: Row, code: str, en: str, zh: str) -> None:
        where = f"{sheet.file}:{row.line}" + (f" [{sheet.sheet}]" if sheet.sheet else "")
        self.problems.append(Problem(sheet.file, row.line, None, code, f"{where}: {en}", f"{where}：{zh}", False))

    # Rows

    def _take(self, row: Row) -> bool:
        """Put a row on record; False when it is there already. Raises _NotTaken, Refusal."""
        if isinstance(row, RegisterRow):
            by = self._person(row.by, row.at)
            return self._once(row, "register", by, row.entered_at, lambda stamp: self._register(stamp, row, by))
        if isinstance(row, FollowUpRow):
            entry = self._find(row.phone, row.name)
            by = self._person(row.by, row.at)
            return self._once(
                row, "follow_up", by, row.entered_at, lambda stamp: self._follow_up(stamp, row, entry, by)
            )
        entry = self._find(row.phone, row.name)
        closers = [self._person(name, row.at) for name in row.by]
        return self._once(row, "sell", closers[0], None, lambda stamp: self._sell(stamp, row, entry, closers))

    def _register(self, stamp: Stamp, row: RegisterRow, by: UUID) -> Answer:
        return self.office.register(
            stamp, by=by, name=row.name, phone=row.phone, via=row.via, number=row.number, historic=True
        )

    def _follow_up(self, stamp: Stamp, row: FollowUpRow, entry: Entry, by: UUID) -> Answer:
        return self.office.follow_up(stamp, entry=entry, by=by, how=row.how, historic=True)

    def _sell(self, stamp: Stamp, row: SaleRow, entry: Entry, by: Sequence[UUID]) -> Answer:
        return self.office.sell(
            stamp, entry=entry, by=by, amount=row.amount, unit=row.unit, date_only=row.date_only, historic=True
        )

    def _once(
        self, row: Row, kind: str, by: UUID, entered_at: datetime | None, command: Callable[[Stamp], Answer]
    ) -> bool:
        """Carry a row out under an id of its own.

        The id is made of what may stay in the log for ever - kind, time, consultant -, never of a name or
        phone. Rows alike
        in these take the next id; whether a row is the same is told by the command's digest, which stays
        outside the log.
        """
        at = row.at.astimezone(UTC)
        content = f"{kind}|{msgspec.json.encode(msgspec.structs.replace(row, line=0)).decode()}"
        entered = (entered_at or row.at).astimezone(UTC)
        for ordinal in range(10_000):
            name = f"{kind}|{at.isoformat()}|{entered.isoformat()}|{by}|{ordinal}"
            command_id = uuid5(self.office.site_id, name)
            stamp = Stamp(actor=self.office.site_id, at=at, entered_at=entered, command_id=command_id, content=content)
            try:
                return not command(stamp).repeated
            except Refusal as refusal:
                if refusal.code != "command_reused":
                    raise
        raise _NotTaken("wrong_state", "too many rows alike", "相同的行过多")

    # People

    def _person(self, name: str, at: datetime) -> UUID:
        """The member of staff of that name, enrolled as a consultant when new. Raises _NotTaken when two bear it."""
        found = self.staff.get(name, [])
        if len(found) > 1:
            raise _NotTaken("unknown_staff", "several members of staff bear this name", "有多名员工同名，无法确定是谁")
        if not found:
            first = self.office.files.editions().in_force[0].since
            entered = min(first, at.astimezone(UTC))
            stamp = Stamp(actor=self.office.site_id, at=entered, entered_at=entered, command_id=uuid4())
            enrolled = self.office.enrol_staff(stamp, name=name).subject
            assert enrolled is not None
            self.staff[name] = found = [enrolled]
            self.enrolled.append(name)
        return found[0]

    def _find(self, phone: str | None, name: str | None) -> Entry:
        """The visitor of that phone; else the only one of that name whose entry leaves the phone open, or (no
        phone given)
        the only one of that name at all. Raises _NotTaken when there is not exactly one."""
        files = self.office.files
        if phone is not None and (held := files.held_by("phone", phone)):
            return files.entry_of_name(held[0], name)
        held = files.held_by("name", name) if name else []
        if phone is not None:
            held = [visitor for visitor in held if not self._has_phone(visitor)]
        if len(held) == 1:
            return files.entry_of_name(held[0], name)
        what, what_zh = ("no registration has this phone number", "登记本中没有这个电话号码")
        if phone is None:
            what, what_zh = ("there is no phone number", "没有电话号码")
        which, which_zh = ("several visitors bear", "有多位客户叫") if held else ("no visitor bears", "没有客户叫")
        raise _NotTaken(
            "unknown_visitor",
            f"{what}, and {which} this name; register the visitor first",
            f"{what_zh}，{which_zh}这个姓名；请先登记",
        )

    def _has_phone(self, visitor: UUID) -> bool:
        return any(registration.has_phone for registration in self.office.files.visitor(visitor).registrations)


def write_report(path: Path, problems: Iterable[Problem]) -> None:
    """The problems as a csv file that a spreadsheet opens (UTF-8 with BOM), one line each, both languages."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "line", "column", "taken", "code", "message", "说明"])
        for problem in problems:
            taken = "yes" if problem.kept else "no"
            row = [
                problem.file,
                problem.line,
                problem.column or "",
                taken,
                problem.code,
                problem.message,
                problem.message_zh,
            ]
            writer.writerow([_harmless(str(cell)) for cell in row])


def _harmless(cell: str) -> str:
    """A spreadsheet must not take a cell for a formula."""
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
