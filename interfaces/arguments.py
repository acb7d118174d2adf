"""Reading what people type: times of the site, changed parameters, shares by name."""

from __future__ import annotations

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


def instant(text: str | None, zone: ZoneInfo) -> datetime | None:
    """`2026-04-01` (the end of that day), `2026-04-01 12:00[:30]` in the site's time, or ISO 8601 with an
    offset; in UTC."""
    if text is None:
        return None
    try:
        if len(text) == 10:
            return end_of(date.fromisoformat(text), zone) - timedelta(microseconds=1)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal("bad_value", f"{text!r} is not a time such as 2026-04-01 or '2026-04-01 12:00'") from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def amendments(pairs: Iterable[str]) -> dict[str, object]:
    """KEY=VALUE pairs as an amendment: a number, none, or codes separated by commas."""
    found: dict[str, object] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name in found:
            raise Refusal("bad_value", f"{pair!r} is not KEY=VALUE, or stands twice")
        spec = PARAMETERS.get(name)
        text = text.strip()
        if spec is not None and spec.kind == "codes":
            found[name] = [code.strip() for code in text.strip("[]").split(",") if code.strip()]
        else:
            found[name] = int(text) if text.lstrip("-").isdigit() else text
    return found


def person(office: SalesOffice, name: str) -> UUID:
    """The member of staff of that name (or id). Raises Refusal unknown_staff, also when several bear it."""
    found = office.files.staff_by_name()
    try:
        return office.files.site().member(UUID(name)).staff
    except ValueError:
        matches = found.get(clean_name(name), [])
    if len(matches) == 1:
        return matches[0]
    raise Refusal("unknown_staff", f"{name}: " + ("several bear this name, give the id" if matches else "no such name"))


def shares(office: SalesOffice, texts: Sequence[str]) -> dict[UUID, Fraction] | None:
    """NAME=FRACTION pairs as shares; None when there are none."""
    found: dict[UUID, Fraction] = {}
    for text in texts:
        name, equals, share = text.rpartition("=")
        if not equals:
            raise Refusal("bad_value", f"{text!r} is not NAME=FRACTION such as 林芳=1/2")
        staff = person(office, name)
        if staff in found:
            raise Refusal("bad_value", f"{name} stands twice")
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
