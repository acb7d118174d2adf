"""How far a rebuild is: a bar on a terminal, one line a stage elsewhere; always on stderr."""

from __future__ import annotations

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from projections.rebuild import Progress

from .arguments import say

STAGES = {
    "planning": "准备",
    "folding": "折叠事实",
    "indexing": "建索引",
    "catching up": "追赶新事实",
    "comparing": "比对",
    "swapping": "切换",
    "done": "完成",
}


class Building:
    """Told of progress by a rebuild. To be used in a `with`, which takes the bar away however the rebuild ends."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._stage = ""
        self._bar: tuple[Bar, TaskID] | None = None

    def __enter__(self) -> Building:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def __call__(self, progress: Progress) -> None:
        if progress.stage == "done":
            self._close()
        elif sys.stderr.isatty() or self._bar:
            self._draw(progress)
        elif progress.stage != self._stage and (progress.stage != "folding" or progress.facts):
            say(self._line(progress))
        self._stage = progress.stage

    def _line(self, progress: Progress) -> str:
        english = self.language == "en"
        stage = progress.stage if english else STAGES[progress.stage]
        if progress.stage != "folding":
            return stage
        return f"{stage}: {progress.facts} facts" if english else f"{stage}：{progress.facts}条"

    def _draw(self, progress: Progress) -> None:
        if self._bar is None:
            bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            bar.start()
            self._bar = bar, bar.add_task("", total=None)
        bar, task = self._bar
        stage = progress.stage if self.language == "en" else STAGES[progress.stage]
        bar.update(task, description=stage, completed=progress.folded, total=progress.facts or None)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar[0].stop()
            self._bar = None
