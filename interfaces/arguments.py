"""Reading what people type: times of the site, changed parameters, shares by name."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from application.privacy import clean_name
from application.sales_office import SalesOffice
from domain.calendar import end_of
from domain.refusals import Refusal
from domain.rules.vocabulary import PARAMETERS, fraction


def say(line: str) -> None:
    """Something for people: to stderr, so that results can be piped."""
    click.echo(line, err=True)


def worded(en: str, zh: str) -> str:
    """The words in the language of the command that runs."""
    context = click.get_current_context(silent=True)
    return zh if context is not None and context.obj == "zh" else en


def instant(text: str | None, zone: ZoneInfo, day: date | None = None) -> datetime | None:
    """`2026-04-01` (the end of that day), `2026-04-01 12:00[:30]` or `12:00[:30]` (of `day`; else today) in the site's
    time, or ISO 8601 with an offset; in UTC."""
    if text is None:
        return None
    typed = text
    try:
        if len(text) == 10:
            return end_of(date.fromisoformat(text), zone) - timedelta(microseconds=1)
        if re.fullmatch(r"\d\d?:\d\d(:\d\d)?", text):
            text = f"{day or datetime.now(zone).date()} {text.rjust(5, '0') if len(text) < 6 else text.rjust(8, '0')}"
        at = datetime.fromisoformat(text)
    except ValueError:
        detail = worded(
            f"{typed!r} is not a time such as 12:00, 2026-04-01 or '2026-04-01 12:00'",
            f"{typed!r}不是时间，应如12:00、2026-04-01、'2026-04-01 12:00'",
        )
        raise Refusal("bad_value", detail) from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def day_typed(text: str) -> date:
    """Raises Refusal bad_value."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        detail = worded(f"{text!r} is not a day such as 2026-03-31", f"{text!r}不是日期，应如2026-03-31")
        raise Refusal("bad_value", detail) from None


def unseen(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """For what should not stand in a shell's history: `-` is asked for, and typed unseen."""
    return asked_unseen(parameter.human_readable_name.lower().replace("_", " ")) if value == "-" else value


UNSEEN = {"phone": "电话", "visitor": "客户", "brought by": "介绍客户"}


def asked_unseen(what: str) -> str:
    """What is typed unseen in answer to a prompt."""
    answer: str = click.prompt(worded(what, UNSEEN.get(what, what)), hide_input=True, err=True)
    return answer


def amendments(pairs: Iterable[str]) -> dict[str, object]:
    """KEY=VALUE pairs as an amendment: a number, a time, true or false, none, or codes separated by commas."""
    found: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name in found:
            detail = worded(f"{pair!r} is not KEY=VALUE, or stands twice", f"{pair!r}不是“参数=值”，或写了两次")
            raise Refusal("bad_value", detail)
        spec = PARAMETERS.get(name)
        text = text.strip()
        if spec is not None and spec.kind == "codes":
            found[name] = [code.strip() for code in text.strip("[]").split(",") if code.strip()]
        elif spec is not None and spec.kind == "switch":
            found[name] = {"true": True, "false": False}.get(text, text)
        else:
            found[name] = int(text) if text.lstrip("-").isdigit() else text
    return found


def person(office: SalesOffice, name: str) -> UUID:
    """The member of staff of that name (or id, or as shown: `林芳 (8228)`). Raises Refusal unknown_staff, also when
    several bear the name."""
    found = office.files.staff_by_name()
    try:
        return office.files.site().member(UUID(name)).staff
    except ValueError:
        matches = found.get(clean_name(name), [])
    if not matches:
        matches = [staff for staff in office.files.site().staff if office.files.staff_name(staff) == clean_name(name)]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise Refusal("unknown_staff", worded(f"{name}: no such name", f"{name}：名单上没有此名"))
    ids = ", ".join(str(staff) for staff in matches)
    several = worded(f"{name}: several bear this name, give the id: {ids}", f"{name}：有同名的人，请写编号：{ids}")
    raise Refusal("unknown_staff", several)


def shares(office: SalesOffice, texts: Sequence[str]) -> dict[UUID, Fraction] | None:
    """NAME=FRACTION pairs as shares; None when there are none."""
    found: dict[UUID, Fraction] = {}
    for text in texts:
        name, equals, share = text.rpartition("=")
        if not equals:
            detail = worded(f"{text!r} is not NAME=FRACTION such as 林芳=1/2", f"{text!r}不是“姓名=份额”，应如林芳=1/2")
            raise Refusal("bad_value", detail)
        staff = person(office, name)
        if staff in found:
            raise Refusal("bad_value", worded(f"{name} stands twice", f"{name}写了两次"))
        found[staff] = fraction(share)
    return found or None


def progress_bar(what: str) -> Progress:
    """A bar on a terminal, nothing elsewhere; on stderr."""
    from rich.console import Console

    return Progress(
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
