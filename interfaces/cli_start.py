"""`lunpai run` and `lunpai demo`: for newcomers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import click
from rich.console import Console

from application.access import SCOPES
from application.commands import Stamp
from application.embedded_postgres import default_home
from application.replay.lines import Replay
from application.replay.matter import find_matter
from application.replay.report import Asked
from application.replay.report import replay as replay_matter
from application.sales_office import SalesOffice, site_names
from projections.schedule import read_schedule
from projections.views import VIEWS

from . import replay_terminal
from .arguments import say
from .cli_office import raise_dispute, rule_on, run_import, show_import
from .cli_serve import HOST, PORT, key_for
from .cli_work import keep, schedule_file
from .store import Store, open_store, sample_office

SITE, RULEBOOK = "示范案场", "forty-three-articles"
CONTESTED = "6-1-1204"
"""A unit of the sample office whose sale two consultants can claim with some reason."""

MANAGER = "陈经理"


@click.command(short_help="Start, load the sample office, tell what to try.")
@click.option("--once", is_flag=True, help="End after telling what to try, instead of keeping the store running.")
@click.pass_obj
def run(language: str, once: bool) -> None:
    """Start the store, load the sample office if the store is empty, tell what to try next, and keep the views live."""
    schedule = read_schedule(schedule_file(), VIEWS)
    with open_store(say) as store:
        if not site_names(store.record) or _half_loaded(store):
            say("the store is empty: loading the sample office" if language == "en" else "数据为空：载入示范案场")
            load_sample(store, language)
        _tell(store, language)
        if not once:
            say("the store is running; Ctrl-C stops it" if language == "en" else "数据库正在运行；按 Ctrl-C 停止")
            with api(store, language):
                keep(store, language, schedule)


@contextmanager
def api(store: Store, language: str) -> Iterator[None]:
    """The API beside this process, with a key of the sample office's manager for today."""
    click.echo(f"API: http://{HOST}:{PORT}/docs")
    if site_names(store.record) == [SITE]:
        ends = datetime.now(UTC) + timedelta(days=1)
        text = key_for(store.office(SITE), MANAGER, tuple(SCOPES), ends)
        click.echo(f"key for a day ({MANAGER}): {text}" if language == "en" else f"一日密钥（{MANAGER}）：{text}")
        click.echo(f"  curl -H 'Authorization: Bearer {text}' http://{HOST}:{PORT}/v1/sites")
    server = subprocess.Popen([sys.executable, "-m", "interfaces.cli", "--language", language, "serve"])
    try:
        yield
    finally:
        server.terminate()
        server.wait()


def _half_loaded(store: Store) -> bool:
    """Whether loading the sample office was interrupted: its manager comes last, and loading again adds what
    is missing."""
    return site_names(store.record) == [SITE] and MANAGER not in store.office(SITE).files.staff_by_name()


def load_sample(store: Store, language: str) -> SalesOffice:
    """The made-up office that is shipped: three months of registers, follow-ups and sales, and a manager."""
    result = run_import(store, sample_office(), site=SITE, rulebook=RULEBOOK, timezone="Asia/Shanghai")
    show_import(result, None, language)
    office = store.office(SITE)
    since = office.files.editions().in_force[0].since
    stamp = Stamp(actor=office.site_id, at=since, entered_at=since, command_id=uuid4())
    office.enrol_staff(stamp, name=MANAGER, role="manager")
    return office


def _tell(store: Store, language: str) -> None:
    names = ", ".join(site_names(store.record))
    home = (os.environ.get("LUNPAI_DATABASE_URL") and "LUNPAI_DATABASE_URL") or str(default_home())
    lines = {
        "en": (
            f"store: {home} - {store.record.position()} facts - sites: {names}",
            "try next:",
            f"  lunpai replay {CONTESTED}                        a contested sale, settled by replay",
            f"  lunpai replay {CONTESTED} --html sale.html       the same with the timeline drawn",
            f"  lunpai replay {CONTESTED} --under revised-reception",
            f"  lunpai replay {CONTESTED} --amend attribution.protection_days=60",
            f"  lunpai dispute {CONTESTED} --by 云宇敏            raise a claim; the manager here is {MANAGER}:",
            f"  lunpai rule D1 --by {MANAGER} --reason ...     rule on it",
            "  lunpai floor sign-in 水雪 苏静                    today's turn queue: staff sign in,",
            "  lunpai floor receive --channel visit              a visitor comes: who receives, and why",
            "  lunpai floor board                                the board; `lunpai floor --help` has the rest",
            "  lunpai report morning --as-of 2026-04-15          the list for a manager's morning, as it stood then",
            "  lunpai report scoreboard --month 2026-04 --xlsx scores.xlsx",
            "  lunpai lag                                        where the views stand that reports are read from",
            "  lunpai rebuild --check                            compare them with the record, row by row",
            "  lunpai rulebook explain forty-three-articles",
            "  lunpai import --site NAME --rulebook ID FILE...   your own register, follow-ups, sales",
        ),
        "zh": (
            f"数据：{home}，事实{store.record.position()}条，案场：{names}",
            "接下来可以试：",
            f"  lunpai --language zh replay {CONTESTED}                  一笔有争议的成交，按历史回放裁断",
            f"  lunpai --language zh replay {CONTESTED} --html sale.html 同上，附时间轴图",
            f"  lunpai --language zh replay {CONTESTED} --under revised-reception",
            f"  lunpai --language zh replay {CONTESTED} --amend attribution.protection_days=60",
            f"  lunpai dispute {CONTESTED} --by 云宇敏   提出主张；然后：lunpai rule D1 --by {MANAGER} --reason ……",
            "  lunpai --language zh floor sign-in 水雪 苏静             今天的轮排：先签到",
            "  lunpai --language zh floor receive --channel visit       来了客户：谁接待、依据什么",
            "  lunpai --language zh floor board                         轮排板；其余见 lunpai floor --help",
            "  lunpai --language zh report morning --as-of 2026-04-15   某日的晨会清单",
            "  lunpai --language zh report scoreboard --month 2026-04 --xlsx 业绩榜.xlsx",
            "  lunpai --language zh lag                                 视图落后多少",
            "  lunpai --language zh rebuild --check                     逐行核对视图与记录",
            "  lunpai --language zh rulebook explain forty-three-articles",
            "  lunpai import --site 名称 --rulebook 编号 文件……   导入自己的登记、跟进、成交",
        ),
    }
    for line in lines[language]:
        click.echo(line)
    prefix = ".venv/bin/" if os.path.exists(".venv/bin/lunpai") else ""
    if prefix:
        click.echo(f"(lunpai stands for {prefix}lunpai)" if language == "en" else f"（lunpai 即 {prefix}lunpai）")


@click.command(short_help="Import, dispute, replay, ruling - once through.")
@click.pass_obj
def demo(language: str) -> None:
    """Import, dispute, replay, ruling: the main job from end to end, on a store of its own that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="lunpai-demo-") as folder:
        os.chmod(folder, 0o755)
        os.environ["LUNPAI_HOME"] = folder
        with open_store(say) as store:
            _demo(store, language)


def _demo(store: Store, language: str) -> None:
    english = language == "en"
    console = Console()

    def head(en: str, zh: str) -> None:
        console.print()
        console.rule(en if english else zh, align="left")

    head("1. import: three spreadsheets go in", "一、导入：三张表")
    office = load_sample(store, language)
    head("2. dispute: a consultant says 'that was my customer'", "二、争议：“那是我的客户”")
    label = raise_dispute(office, find_matter(office, CONTESTED), by="云宇敏")
    click.echo(f"{label}: 云宇敏 claims {CONTESTED}" if english else f"{label}：云宇敏主张 {CONTESTED}")
    head("3. replay: what the record says", "三、回放：记录怎么说")
    _show(office, label, console, language)
    head("4. what if the protection were 60 days", "四、如果保护期是60天")
    other = replay_matter(office, find_matter(office, label), Asked(amend={"attribution.protection_days": 60}))
    click.echo(
        f"owner: {other.owner} ({other.ground_text.en})"
        if english
        else f"归属：{other.owner}（{other.ground_text.zh}）"
    )
    head("5. ruling: the manager decides", "五、裁定：经理决定")
    reason = "the replay's own answer" if english else "采纳回放结果"
    rule_on(office, label, by=MANAGER, reason=reason)
    ruled = _replay(office, label)
    assert ruled.ruling is not None and ruled.shares is not None
    shares = ", ".join(f"{name} {share}" for name, share in ruled.shares.items())
    click.echo(
        f"ruled by {ruled.ruling.by} at {ruled.ruling.at:%Y-%m-%d %H:%M}: {shares}"
        if english
        else f"{ruled.ruling.by}于{ruled.ruling.at:%Y-%m-%d %H:%M}裁定：{shares}"
    )
    click.echo(
        f"{datetime.now(UTC):%Y-%m-%d} - {store.record.position()} facts"
        if english
        else f"共{store.record.position()}条事实"
    )


def _replay(office: SalesOffice, matter: str) -> Replay:
    return replay_matter(office, find_matter(office, matter), Asked())


def _show(office: SalesOffice, matter: str, console: Console, language: str) -> None:
    replay_terminal.render(_replay(office, matter), console, language)  # type: ignore[arg-type]
