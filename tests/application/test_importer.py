"""From an office's files to facts: what is taken, what is refused and reported, and that a second run adds nothing."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from application.commands import Stamp
from application.event_store.memory import MemoryRecorder
from application.event_store.record import Record
from application.importing.importer import ImportResult, import_sheets, read_all, write_report
from application.importing.problems import Problem
from application.importing.tables import UnreadableFile
from application.privacy import Keyring
from application.rulebooks import Shelf
from application.sales_office import SalesOffice, open_site
from domain.sale import SaleRecorded
from domain.visitor import Entry, Moment, VisitorFollowedUp, VisitorRegistered
from tests.application.importing.office_files import FOLLOW_UPS, REGISTER, SALES, ZONE
from tests.domain.given import instant

TODAY = date(2026, 7, 1)
PHONE, OTHER_PHONE = "13812345678", "13912345679"
VISIT = f"1,2026-03-02,09:05,赵强,{PHONE},来访,林芳,是,"
FOLLOWED = f"2026-03-05 15:05,赵强,{PHONE},林芳,微信,2026-03-05 18:02"
SOLD = f"2026-03-06,赵强,{PHONE},4-2-0703,林芳,22696.94"


class Import:
    """An office, and its files run into it."""

    def __init__(self, record: Record, keyring: Keyring, folder: Path) -> None:
        self.record, self.folder = record, folder
        stamp = self.stamp("2000-01-01 00:00")
        self.office: SalesOffice = open_site(
            record, keyring, Shelf(), name="滨江一号", timezone="Asia/Shanghai", stamp=stamp
        )
        self.office.adopt(self.stamp("2000-01-01 00:00"), rulebook="revised-reception")

    @staticmethod
    def stamp(at: str) -> Stamp:
        return Stamp(actor=UUID(int=7), at=instant(at), entered_at=instant(at))

    def write(self, name: str, header: str, *rows: str) -> Path:
        path = self.folder / name
        path.write_text("\n".join((header, *rows)), "utf-8")
        return path

    def run(self, *paths: Path) -> ImportResult:
        return import_sheets(self.office, read_all(paths, ZONE, TODAY))

    def take(
        self, register: tuple[str, ...] = (), follow_ups: tuple[str, ...] = (), sales: tuple[str, ...] = ()
    ) -> ImportResult:
        """Runs in one file a kind."""
        kinds = (("register", REGISTER, register), ("follow-ups", FOLLOW_UPS, follow_ups), ("sales", SALES, sales))
        return self.run(*(self.write(f"{name}.csv", header, *rows) for name, header, rows in kinds if rows))

    def visitor(self, phone: str = PHONE) -> Entry:
        [held] = self.office.files.held_by("phone", f"+86{phone}")
        return Entry(held, 1)

    def owner(self, at: str, entry: Entry | None = None) -> str | None:
        moment = Moment(instant(at), instant("2099-01-01 00:00"))
        owner = self.office.attribution(entry or self.visitor(), moment).owner
        return self.office.files.staff_name(owner) if owner else None


@pytest.fixture
def office(master: bytes, tmp_path: Path) -> Import:
    record = Record(MemoryRecorder())
    return Import(record, Keyring(master, record.person_keys), tmp_path)


def counts(result: ImportResult) -> list[tuple[str, int, int, int, int]]:
    return [(s.kind, s.rows, s.added, s.known, s.not_taken) for s in result.sheets]


def codes(result: ImportResult) -> list[tuple[str, int, str]]:
    return [(p.file, p.line, p.code) for p in result.problems if not p.kept]


# What is taken


def test_rows_become_facts_with_their_own_times_on_both_stores(
    record: Record, keyring: Keyring, tmp_path: Path
) -> None:
    office = Import(record, keyring, tmp_path)
    result = office.take((VISIT,), (FOLLOWED,), (SOLD,))
    assert counts(result) == [("register", 1, 1, 0, 0), ("follow_ups", 1, 1, 0, 0), ("sales", 1, 1, 0, 0)]
    assert (result.facts_added, result.staff_enrolled, codes(result)) == (5, ("林芳",), [])
    history = office.office.files.visitor(office.visitor().visitor).history
    registered, followed, _ = history
    assert isinstance(registered.fact, VisitorRegistered) and registered.fact.number == "1"
    assert registered.occurred_at == registered.known_at == instant("2026-03-02 09:05")
    assert isinstance(followed.fact, VisitorFollowedUp) and followed.fact.how == "message"
    assert (followed.occurred_at, followed.known_at) == (instant("2026-03-05 15:05"), instant("2026-03-05 18:02"))
    again = office.take((VISIT,), (FOLLOWED,), (SOLD,))
    assert counts(again) == [("register", 1, 0, 1, 0), ("follow_ups", 1, 0, 1, 0), ("sales", 1, 0, 1, 0)]
    assert (again.facts_added, again.staff_enrolled) == (0, ())


def test_a_sale_with_a_date_only_counts_as_six_in_the_evening(office: Import) -> None:
    office.take((VISIT,), (), (SOLD,))
    [sale] = office.office.files.held_by("unit", "4-2-0703")
    recorded = office.office.files.sale(sale).recorded
    assert recorded.occurred_at == recorded.known_at == instant("2026-03-06 18:00")
    assert isinstance(recorded.fact, SaleRecorded) and recorded.fact.date_only
    assert str(recorded.fact.amount) == "22696.94"


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_files_and_rows_does_not_matter(office: Import, turned: bool) -> None:
    later = f"2,2026-03-20,10:00,赵强,{PHONE},来访,王磊,,"
    rows = [VISIT, later][:: -1 if turned else 1]
    paths = [
        office.write("register.csv", REGISTER, *rows),
        office.write("follow-ups.csv", FOLLOW_UPS, FOLLOWED),
        office.write("sales.csv", SALES, SOLD.replace("2026-03-06", "2026-03-22")),
    ]
    result = office.run(*paths[:: -1 if turned else 1])
    assert not codes(result) and result.facts_added == 7
    owners = [office.owner(f"2026-03-{day} 12:00") for day in ("03", "12", "13", "20", "30")]
    assert owners == ["林芳", "林芳", None, "王磊", "王磊"]


def test_unknown_staff_are_enrolled_once(office: Import) -> None:
    rows = [
        VISIT,
        f"2,2026-03-03,09:00,钱伟,{OTHER_PHONE},来电,林芳,,",
        "3,2026-03-04,09:00,孙丽,13712345670,来访,王磊,,",
    ]
    assert office.take(tuple(rows)).staff_enrolled == ("林芳", "王磊")
    assert office.take((), (FOLLOWED,)).staff_enrolled == ()
    members = office.office.files.staff_by_name()
    assert {name: len(found) for name, found in members.items()} == {"林芳": 1, "王磊": 1}
    assert {member.role for member in office.office.files.site().staff.values()} == {"consultant"}


def test_staff_on_the_list_keep_their_post(office: Import) -> None:
    office.office.enrol_staff(office.stamp("2026-01-01 09:00"), name="林芳", role="desk")
    assert office.take((VISIT,)).staff_enrolled == ()
    assert office.owner("2026-03-03 09:00") is None  # desk staff found no claims


def test_a_follow_up_by_another_is_kept_without_effect(office: Import) -> None:
    office.take((VISIT,))
    result = office.take((), (FOLLOWED.replace("林芳", "王磊"),))
    assert counts(result) == [("follow_ups", 1, 1, 0, 0)]
    assert (office.owner("2026-03-09 12:00"), office.owner("2026-03-10 12:00")) == ("林芳", None)
    found = office.office.attribution(
        office.visitor(), Moment(instant("2026-03-06 09:00"), instant("2026-03-06 09:00"))
    )
    assert (found.steps[-1].effect, found.steps[-1].reason) == ("nothing", "claim_of_another_ran")


@pytest.mark.parametrize("number", ["", "17", "A-17", "-", "、", "*"])
def test_a_mark_in_the_number_column_loses_no_row(office: Import, number: str) -> None:
    result = office.take((number + VISIT[1:],))
    assert counts(result) == [("register", 1, 1, 0, 0)], result.problems


def test_a_sale_by_several_is_theirs_together(office: Import) -> None:
    result = office.take((VISIT,), (), (SOLD.replace("林芳", "王磊、周小娟"),))
    assert result.staff_enrolled == ("林芳", "王磊", "周小娟") and not codes(result)
    [sale] = office.office.files.held_by("unit", "4-2-0703")
    names = [office.office.files.staff_name(staff) for staff in office.office.files.sale(sale).terms.by]
    assert names == ["王磊", "周小娟"]


# Alike, and again


def test_identical_rows_are_counted_once(office: Import) -> None:
    result = office.take((VISIT, VISIT), (FOLLOWED, FOLLOWED, FOLLOWED), (SOLD, SOLD))
    assert counts(result) == [("register", 2, 1, 1, 0), ("follow_ups", 3, 1, 2, 0), ("sales", 2, 1, 1, 0)]
    assert result.facts_added == 5


def test_rows_alike_but_for_a_name_or_phone_are_different_rows(office: Import) -> None:
    """Times and consultant alone make the command's id; nothing of the visitor is in it."""
    rows = [VISIT, VISIT.replace("赵强", "钱伟").replace(PHONE, OTHER_PHONE), VISIT.replace("赵强", "孙丽")]
    assert counts(office.take(tuple(rows))) == [("register", 3, 3, 0, 0)]
    assert counts(office.take(tuple(reversed(rows)))) == [("register", 3, 0, 3, 0)]
    more = VISIT.replace("赵强", "李明")
    assert counts(office.take((more, *rows))) == [("register", 4, 1, 3, 0)]


def test_a_longer_file_adds_only_what_is_new(office: Import) -> None:
    office.take((VISIT,))
    result = office.take((VISIT, f"2,2026-03-03,09:00,钱伟,{OTHER_PHONE},来访,林芳,,"))
    assert (counts(result), result.facts_added) == ([("register", 2, 1, 1, 0)], 1)


def test_a_row_stays_the_same_when_the_register_grows(office: Import) -> None:
    office.take((VISIT.replace("赵强", "钱伟"),), (FOLLOWED,))
    result = office.take((VISIT.replace("赵强", "钱伟"), VISIT), (FOLLOWED,))
    assert counts(result) == [("register", 2, 1, 1, 0), ("follow_ups", 1, 0, 1, 0)]


def test_the_same_rows_at_another_site_are_other_rows(office: Import, master: bytes) -> None:
    office.take((VISIT,))
    other = open_site(
        office.record,
        office.office.keyring,
        Shelf(),
        name="二号",
        timezone="Asia/Shanghai",
        stamp=office.stamp("2026-01-01 09:00"),
    )
    other.adopt(office.stamp("2000-01-01 00:00"), rulebook="revised-reception")
    sheets = read_all([office.folder / "register.csv"], ZONE, TODAY)
    assert counts(import_sheets(other, sheets)) == [("register", 1, 1, 0, 0)]


# What is refused


def test_refused_rows_are_reported_and_the_rest_goes_on(office: Import) -> None:
    register = (
        VISIT,
        f"2,2026-03-03,09:00,钱伟,{OTHER_PHONE},来访,,,",
        f"3,2026-03-04,09:00,孙丽,{OTHER_PHONE},来访,王磊,,",
    )
    follow_ups = (FOLLOWED.replace(PHONE, "13700000000").replace("赵强", "无名"), FOLLOWED)
    sales = (SOLD, SOLD.replace("赵强", "孙丽").replace(PHONE, OTHER_PHONE), SOLD.replace("22696.94", "much"))
    result = office.take(register, follow_ups, sales)
    assert counts(result) == [("register", 3, 2, 0, 1), ("follow_ups", 2, 1, 0, 1), ("sales", 3, 1, 0, 2)]
    assert sorted(codes(result)) == [
        ("follow-ups.csv", 2, "unknown_visitor"),
        ("register.csv", 3, "by_missing"),
        ("sales.csv", 3, "unit_already_sold"),
        ("sales.csv", 4, "amount_unreadable"),
    ]
    again = office.take(register, follow_ups, sales)
    assert again.facts_added == 0 and sorted(codes(again)) == sorted(codes(result))


def test_what_is_said_names_no_visitor_in_full(office: Import) -> None:
    result = office.take(
        (VISIT,),
        (FOLLOWED.replace(PHONE, "13700000000").replace("赵强", "钱伟明"),),
        (SOLD, SOLD.replace("林芳", "王磊")),
    )
    assert [problem.code for problem in result.problems] == ["unknown_visitor", "unit_already_sold"]
    for problem in result.problems:
        for word in ("赵强", "钱伟明", PHONE, "13700000000"):
            assert word not in problem.message + problem.message_zh
        assert problem.message.startswith(f"{problem.file}:{problem.line}: ") and problem.message_zh


def test_rows_without_a_phone_are_found_by_the_only_one_of_that_name(office: Import) -> None:
    office.take((VISIT,))
    assert counts(office.take((), (FOLLOWED.replace(PHONE, ""),))) == [("follow_ups", 1, 1, 0, 0)]
    office.take((VISIT.replace(PHONE, OTHER_PHONE),))
    result = office.take((), (FOLLOWED.replace(PHONE, "").replace("15:05", "16:05"),))
    assert codes(result) == [("follow-ups.csv", 2, "unknown_visitor")]
    assert "several visitors bear this name" in result.problems[-1].message


def test_an_unknown_phone_takes_a_namesake_only_where_his_phone_is_open(office: Import) -> None:
    office.take((VISIT.replace(PHONE, ""),))
    assert counts(office.take((), (FOLLOWED,))) == [("follow_ups", 1, 1, 0, 0)]
    office.take((VISIT.replace("赵强", "钱伟").replace(PHONE, OTHER_PHONE),))
    result = office.take((), (FOLLOWED.replace("赵强", "钱伟"),))
    assert codes(result) == [("follow-ups.csv", 2, "unknown_visitor")]
    assert "no registration has this phone number" in result.problems[-1].message


def test_a_name_means_its_own_entry_under_a_shared_phone(office: Import) -> None:
    """Two strangers under one phone are two customers under the revised rules."""
    other = f"2,2026-03-03,09:00,钱伟,{PHONE},来访,王磊,,"
    result = office.take((VISIT, other), (), (SOLD.replace("赵强", "钱伟"),))
    assert not codes(result)
    [sale] = office.office.files.held_by("unit", "4-2-0703")
    assert office.office.files.sale(sale).terms.visitor == Entry(office.visitor().visitor, 2)
    assert office.owner("2026-12-31 00:00", Entry(office.visitor().visitor, 2)) == "王磊"


def test_a_name_that_two_of_the_staff_bear_is_not_guessed(office: Import) -> None:
    for day in ("01", "02"):
        office.office.enrol_staff(office.stamp(f"2026-01-{day} 09:00"), name="林芳")
    result = office.take((VISIT, VISIT.replace("林芳", "王磊").replace("09:05", "09:06")))
    assert codes(result) == [("register.csv", 2, "unknown_staff")]
    assert counts(result) == [("register", 2, 1, 0, 1)]


def test_one_file_that_cant_be_read_keeps_everything_out(office: Import) -> None:
    good, bad = office.write("register.csv", REGISTER, VISIT), office.write("notes.csv", "what,ever", "1,2")
    before = office.record.position()
    with pytest.raises(UnreadableFile, match=r"notes\.csv"):
        office.run(good, bad)
    assert office.record.position() == before


def test_a_row_that_is_not_taken_enrols_nobody(office: Import) -> None:
    result = office.take((), (FOLLOWED,))
    assert codes(result) == [("follow-ups.csv", 2, "unknown_visitor")]
    assert (result.facts_added, result.staff_enrolled) == (0, ())


def test_progress_is_told_row_by_row(office: Import) -> None:
    seen: list[tuple[int, int]] = []
    paths = [office.write("register.csv", REGISTER, VISIT, VISIT), office.write("sales.csv", SALES, SOLD)]
    import_sheets(office.office, read_all(paths, ZONE, TODAY), lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_columns_of_which_nothing_was_taken_are_named_once(office: Import) -> None:
    register = office.write("register.csv", f"{REGISTER},星座", f"{VISIT},狮子")
    again = office.write("again.csv", f"{REGISTER},星座", f"{VISIT},狮子")
    assert office.run(register, again).unknown_columns == ("星座",)


# The report


def test_the_report_is_a_table_that_a_spreadsheet_opens(office: Import, tmp_path: Path) -> None:
    result = office.take((VISIT, VISIT.replace("林芳", "")), (FOLLOWED.replace("微信", ""),))
    path = tmp_path / "report.csv"
    write_report(path, result.problems)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    assert rows[0] == ["file", "line", "column", "taken", "code", "message", "说明"]
    assert [(row[0], row[1], row[3], row[4]) for row in rows[1:]] == [
        ("register.csv", "3", "no", "by_missing"),
        ("follow-ups.csv", "2", "yes", "how_missing"),
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_of_the_report_is_a_formula(tmp_path: Path, start: str) -> None:
    text = f'{start}HYPERLINK("x")'
    problem = Problem(text, 2, text, text, text, text, False)
    path = tmp_path / "report.csv"
    write_report(path, [problem])
    with path.open(encoding="utf-8-sig", newline="") as file:
        _, row = csv.reader(file)
    assert row[1] == "2" and all(cell == "'" + text for cell in (row[0], row[2], *row[4:]))
