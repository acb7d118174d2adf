"""The command line: `lunpai COMMAND --help` says what each does. Results go to stdout, everything else to stderr."""

from __future__ import annotations

import errno
import logging
import os
import sys
from typing import NoReturn

import click

from application.embedded_postgres import EmbeddedPostgresError
from application.event_store.appending import StoreRefused, StoreUnavailable
from application.event_store.mapper import UnreadableFact
from application.importing.rows import UnreadableFile
from application.yaml_files import FileProblem
from domain.refusals import REFUSALS, Refusal
from domain.rulebook import RulebookError
from projections.processes import FoldingFailed
from projections.rebuild import Cancelled, RebuildRefused
from projections.records import NotThere

from .cli_desk import COMMANDS
from .cli_floor_receptions import floor
from .cli_login import login
from .cli_office import dispute, health, import_files, open_new, replay, rule
from .cli_read_side import rebuild, show_lag
from .cli_report import report
from .cli_rulebook import rulebook
from .cli_scenario import scenario
from .cli_serve import key, serve
from .cli_simulate import simulate_command
from .cli_start import demo, run
from .cli_work import schedule, work

KNOWN_ERRORS = (
    RulebookError,
    FileProblem,
    UnreadableFile,
    StoreRefused,
    StoreUnavailable,
    UnreadableFact,
    EmbeddedPostgresError,
    RebuildRefused,
    Cancelled,
    FoldingFailed,
    NotThere,
)


_spoken: list[str] = []
"""The language of this run, for errors that come up when click's context has gone."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="lunpai")
@click.option(
    "--language",
    type=click.Choice(["en", "zh"]),
    default=lambda: "zh" if os.environ.get("LANG", "").startswith("zh") else "en",
    show_default="by LANG",
    help="Language of answers and messages.",
)
@click.pass_context
def lunpai(context: click.Context, language: str) -> None:
    """Whose turn, whose customer, whose commission: a sales office's record, settled by replaying history.

    Data live in LUNPAI_HOME (default: your data folder) on an embedded PostgreSQL; LUNPAI_DATABASE_URL names a
    server of your own instead. Try `lunpai run`.
    """
    context.obj = language
    _spoken.append(language)


ON_RECORD = (import_files, *COMMANDS, floor, replay, dispute, rule)
OFFICE = (run, demo, open_new, *ON_RECORD, scenario, simulate_command, rulebook, health)
API = (serve, key, login)
READ_SIDE = (report, work, show_lag, rebuild, schedule)

for command in (*OFFICE, *API, *READ_SIDE):
    lunpai.add_command(command)


def main() -> None:
    """The console script. Every expected error is one line on stderr and a status that is not 0."""
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # what it warns of ends in one of our own lines
    try:
        sys.exit(lunpai.main(standalone_mode=False) or 0)
    except click.Abort:
        _fail("已停止" if "zh" in _spoken else "stopped", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Refusal as refusal:
        chinese = REFUSALS[refusal.code][1] + (f"（{refusal.detail}）" if refusal.detail else "")
        _fail(f"{refusal.code}：{chinese}" if "zh" in _spoken else str(refusal))
    except KNOWN_ERRORS as error:
        _fail(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _fail(
                f"the disk is full{': ' + str(error.filename) if error.filename else ''}; what was acknowledged is safe"
            )
        _fail(f"{error.strerror or error}{': ' + str(error.filename) if error.filename else ''}")


def _fail(message: str, status: int = 1) -> NoReturn:
    click.echo(f"lunpai: {' '.join(message.split())}", err=True)
    sys.exit(status)


if __name__ == "__main__":
    main()
