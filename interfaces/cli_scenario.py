"""`lunpai scenario`: rules tried as executable cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec

from application.scenarios.run import Outcome, find_files, run_file

from .arguments import progress_bar, say
from .store import Store, scratch_store

MARK = {"passed": "ok  ", "failed": "FAIL", "refused": "BAD ", "not_built_yet": "N/B "}


@click.command(short_help="Run scenario files: rules as executable cases.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--store",
    type=click.Choice(["memory", "postgres"]),
    default="memory",
    show_default=True,
    help="Where the scenario's facts go; postgres uses a scratch schema that is dropped afterwards.",
)
@click.option(
    "--over-http",
    is_flag=True,
    help="Through the JSON API: served on a port of its own, each step asked with the key of whoever takes it.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def scenario(paths: tuple[Path, ...], store: str, over_http: bool, as_json: bool) -> None:
    """Run scenario files (PATHS: files, or folders of *.yaml).

    One line a scenario; for every expectation that fails: file, step, expected, found, and the trace of the
    decision. The status is 0 only when all hold. BAD: not a scenario; N/B: asks for something not built yet.
    """
    files = find_files(list(paths))
    with scratch_store(store, say) as opened, _way(opened, over_http) as run, progress_bar("scenarios") as bar:
        task = bar.add_task("", total=len(files))
        outcomes = []
        for file in files:
            outcomes.append(run(file))
            bar.advance(task)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(outcomes), indent=2).decode())
    else:
        for outcome in outcomes:
            click.echo(f"{MARK[outcome.status]} {outcome.file}  {outcome.name}".rstrip())
            for problem in outcome.problems:
                click.echo("     " + problem.replace("\n", "\n     "))
        counted = Counter(outcome.status for outcome in outcomes)
        said = {"passed": "passed", "failed": "failed", "refused": "not scenarios", "not_built_yet": "not built yet"}
        click.echo(", ".join(f"{counted[status]} {words}" for status, words in said.items() if counted[status]))
    if any(outcome.status != "passed" for outcome in outcomes):
        raise click.exceptions.Exit(1)


@contextmanager
def _way(store: Store, over_http: bool) -> Iterator[Callable[[Path], Outcome]]:
    """How files are run: through the commands themselves, or through the API."""
    if not over_http:
        yield lambda file: run_file(file, store.record, store.keyring, store.shelf)
        return
    from .scenarios_over_http.rehearsal import rehearsal  # half a second to load, which the other way does not need
    from .scenarios_over_http.run import run_file as run_over_http

    with rehearsal(store) as served:
        yield lambda file: run_over_http(file, served)
