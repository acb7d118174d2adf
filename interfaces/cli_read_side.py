"""`lunpai lag` says where the views stand; `lunpai rebuild` makes them anew, or checks them, and shows what differs."""

from __future__ import annotations

from collections.abc import Sequence

import click
import msgspec

from projections.metrics import measure, overview
from projections.rebuild import Result
from projections.records import (
    DifferenceRecord,
    NotThere,
    cancel,
    names_of,
    reached,
    rebuild_of_number,
    rebuilds,
    run,
)
from projections.view import View
from projections.views import VIEWS

from . import prometheus
from .arguments import say
from .building import Building
from .read_side_terminal import ReadSidePrinter
from .store import Store, open_store

LISTED = 20


@click.command("lag", short_help="How far the views are behind the record.")
@click.option("--retry", is_flag=True, help="First try once more what could not be taken.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--metrics", is_flag=True, help="For Prometheus, in its text format.")
@click.pass_obj
def show_lag(language: str, retry: bool, as_json: bool, metrics: bool) -> int:
    """How far every view is behind the record, in facts and seconds; what could not be taken; the last rebuild.

    Exit status 1 when a view must be rebuilt, or streams are left out of one; being behind is no failure.
    """
    with open_store(say) as store, reached(store.read_side) as connection:
        zone = store.zone
        if retry:
            store.read_side.retry(connection)
        found = overview(store.read_side, connection)
        measures = measure(store.read_side, connection) if metrics else []
    if metrics:
        click.echo(prometheus.text(measures), nl=False)
    elif as_json:
        _print_json(found)
    else:
        ReadSidePrinter(language, zone).overview(found)
    return 0 if found.whole else 1


@click.command(short_help="Make the views anew from the record, or check them.")
@click.argument("views", nargs=-1, metavar="[VIEW]...")
@click.option("--check", is_flag=True, help="Only compare: the live views stay as they are.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--list", "listed", is_flag=True, help="The latest rebuilds and checks.")
@click.option("--cancel", "cancelled", is_flag=True, help="End the rebuild that runs; the live views stay as they are.")
@click.option("--differences", "number", type=int, metavar="NUMBER", help="What that rebuild or check found.")
@click.pass_obj
def rebuild(
    language: str,
    views: tuple[str, ...],
    check: bool,
    as_json: bool,
    listed: bool,
    cancelled: bool,
    number: int | None,
) -> int:
    """Make views (all, unless some are named) anew from the record, beside the live ones, which they then replace.

    Every row that is not the same live and anew is shown with the facts behind it. Nobody has to wait meanwhile.
    Ctrl-C cancels and leaves the live views as they are. Exit status 1 when rows differ, when facts could not be taken
    (see `lunpai lag`), and when a check found no live rows to compare.
    """
    asked_for = [listed, cancelled, number is not None, check or bool(views)]
    if sum(asked_for) > 1:
        raise click.UsageError("ask for one thing: VIEWs or --check, --list, --cancel, --differences")
    chosen = chosen_views(views)
    with open_store(say) as store:
        if listed:
            return _list(store, language, as_json)
        if cancelled:
            with reached(store.read_side) as connection:
                one = cancel(store.read_side, connection)
            click.echo(f"{one}: will end at its next step" if language == "en" else f"{one}：将在下一步停止")
            return 0
        if number is not None:
            return _differences(store, number, language, as_json)
        return _rebuild(store, chosen, check, language, as_json)


def chosen_views(names: Sequence[str]) -> list[View] | None:
    """The views of these names; None for all. Raises NotThere."""
    if unknown := [name for name in names if name not in VIEWS]:
        raise NotThere(f"no view is called {unknown[0]!r}: there are {', '.join(VIEWS)}")
    return [VIEWS[name] for name in dict.fromkeys(names)] or None


class Answer(msgspec.Struct, frozen=True):
    """What `rebuild --json` prints. `found`: the rows that differ, as far as they are kept."""

    result: Result
    found: list[DifferenceRecord]


def _rebuild(store: Store, views: list[View] | None, check: bool, language: str, as_json: bool) -> int:
    read_side = store.read_side
    with Building(language) as building:
        result = run(read_side, views, check=check, asked_by="command line", tell=building)
    found: list[DifferenceRecord] = []
    names: dict[int, str] = {}
    if result.differences:
        with reached(read_side) as connection:
            _, found = rebuild_of_number(read_side, connection, result.id)
            names = names_of(read_side, connection, [fact for one in found for fact in one.facts])
    if as_json:
        _print_json(Answer(result, found))
    else:
        printer = ReadSidePrinter(language, store.zone)
        printer.differences(found, result.differences, names)
        printer.result(result)
    unchecked = check and result.compared != result.views
    return 1 if result.differences or result.parked or unchecked else 0


def _list(store: Store, language: str, as_json: bool) -> int:
    with reached(store.read_side) as connection:
        found = rebuilds(store.read_side, connection, LISTED)
    if as_json:
        _print_json(found)
    elif found:
        ReadSidePrinter(language, store.zone).rebuilds(found)
    else:
        say("nothing was rebuilt or checked yet" if language == "en" else "尚未重建或核对过")
    return 0


def _differences(store: Store, number: int, language: str, as_json: bool) -> int:
    with reached(store.read_side) as connection:
        record, found = rebuild_of_number(store.read_side, connection, number)
        names = names_of(store.read_side, connection, [fact for one in found for fact in one.facts])
    printer = ReadSidePrinter(language, store.zone)
    if as_json:
        _print_json({"rebuild": record, "found": found})
    else:
        printer.rebuilds([record])
        printer.differences(found, record.differences, names)
    return 0


def _print_json(answer: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode())
