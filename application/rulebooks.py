"""Rulebook files: reading, checking against the vocabulary, and the shelf of editions that are shipped or added.

A rulebook is a folder `<id>/` of editions `<day>.yaml`; a published edition is never edited, the next one is a
new file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from domain.refusals import Refusal
from domain.rulebook import AmendmentValue, Clause, Edition, Parameter, Row, RulebookError, Table
from domain.rules.specs import NUMBER, TableSpec
from domain.rules.vocabulary import TABLES, check_value, fraction, needed, undecided

from .yaml_files import Document, FileProblem

SHIPPED = Path(str(files("domain"))) / "rulebooks"
LARGEST_BYTES = 1_000_000


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    zh: str
    en: str


class _Parameter(msgspec.Struct, forbid_unknown_fields=True):
    value: Any
    clauses: list[str]


class _Row(msgspec.Struct, forbid_unknown_fields=True):
    then: dict[str, str]
    clauses: list[str]
    when: dict[str, Any] = {}
    otherwise: bool = False


class _Edition(msgspec.Struct, forbid_unknown_fields=True):
    rulebook: str
    title: _Text
    office: _Text
    in_force_from: date
    source: str
    clauses: list[Clause]
    parameters: dict[str, Any]
    tables: dict[str, list[Any]]
    adopted_on: date | None = None


def sha256_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=256)
def parse_edition(text: str, file: str = "rulebook", *, adopted: bool = False) -> Edition:
    """The edition that a text holds. Raises FileProblem (file, line, path, what is wrong).

    A text to be published is checked for completeness too; one that was `adopted` must load for ever, also when the
    vocabulary has grown since: what it does not say is an error only where a decision asks for it.
    """
    return _Reader(Document(text, file)).edition(sha256_of(text), complete=not adopted)


class _Reader:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.raw = document.convert(_Edition)
        self.clauses = {clause.id: clause for clause in self.raw.clauses}
        """By the short id that the file uses; outside it, a clause goes by rulebook and id (see `qualified`)."""

    def edition(self, sha256: str, *, complete: bool) -> Edition:
        raw = self.raw
        if len(self.clauses) < len(raw.clauses):
            seen: set[str] = set()
            for index, clause in enumerate(raw.clauses):
                if clause.id in seen:
                    raise self._problem(f"$.clauses[{index}]", f"clause {clause.id} stands here twice")
                seen.add(clause.id)
        edition = Edition(
            rulebook=raw.rulebook,
            title_zh=raw.title.zh,
            title_en=raw.title.en,
            office=f"{raw.office.zh} / {raw.office.en}",
            in_force_from=raw.in_force_from,
            adopted_on=raw.adopted_on,
            source=raw.source,
            clauses={qualified(raw.rulebook, clause.id): clause for clause in raw.clauses},
            parameters=self._parameters(),
            tables=self._tables(),
            sha256=sha256,
        )
        if complete:
            self._check_completeness(edition)
        return edition

    def _problem(self, path: str, message: str) -> FileProblem:
        return self.document.problem(path, message)

    def _cited(self, clauses: list[str], path: str) -> tuple[str, ...]:
        unknown = [clause for clause in clauses if clause not in self.clauses]
        if unknown or not clauses:
            raise self._problem(
                f"{path}.clauses",
                f"no such clause: {', '.join(unknown)}" if unknown else "a clause is needed",
            )
        return tuple(qualified(self.raw.rulebook, clause) for clause in clauses)

    def _parameters(self) -> dict[str, Parameter]:
        found: dict[str, Parameter] = {}
        for name, given in self.raw.parameters.items():
            path = f"$.parameters.{name}"
            raw = self.document.convert(_Parameter, given, path)
            value: AmendmentValue = None if raw.value == "none" else raw.value
            if wrong := check_value(name, value):
                raise self._problem(path, wrong)
            found[name] = Parameter(name=name, value=value, clauses=self._cited(raw.clauses, path))
        return found

    def _tables(self) -> dict[str, Table]:
        unknown = [name for name in self.raw.tables if name not in TABLES]
        if unknown:
            raise self._problem(f"$.tables.{unknown[0]}", f"unknown table; tables are {', '.join(TABLES)}")
        return {
            name: Table(
                name=name,
                rows=tuple(self._row(raw, TABLES[name], f"$.tables.{name}[{index}]") for index, raw in enumerate(rows)),
            )
            for name, rows in self.raw.tables.items()
        }

    def _row(self, given: Any, spec: TableSpec, path: str) -> Row:
        raw = self.document.convert(_Row, given, path)
        if raw.otherwise == bool(raw.when):
            raise self._problem(path, "a row has either `when` with conditions or `otherwise: true`")
        when: dict[str, tuple[str, ...]] = {}
        within: dict[str, str] = {}
        outside: dict[str, str] = {}
        for condition, admitted in raw.when.items():
            where = f"{path}.when.{condition}"
            if condition not in spec.conditions:
                raise self._problem(where, f"unknown condition; conditions are {', '.join(spec.conditions)}")
            if isinstance(admitted, dict):
                for key, parameter in admitted.items() or [("", None)]:
                    if key not in ("in", "not_in") or str(parameter) not in self.raw.parameters:
                        raise self._problem(where, "expected {in: PARAMETER} or {not_in: PARAMETER}")
                    (within if key == "in" else outside)[condition] = str(parameter)
                continue
            codes = admitted if isinstance(admitted, list) else [admitted]
            wrong = [str(code) for code in codes if code not in spec.conditions[condition]]
            if wrong or not codes:
                allowed = ", ".join(spec.conditions[condition])
                raise self._problem(where, f"unknown: {', '.join(wrong) or 'nothing'}; allowed: {allowed}")
            when[condition] = tuple(codes)
        self._check_effects(raw, spec, path)
        return Row(
            when=when,
            within=within,
            outside=outside,
            then=raw.then,
            clauses=self._cited(raw.clauses, path),
            otherwise=raw.otherwise,
        )

    def _check_effects(self, raw: _Row, spec: TableSpec, path: str) -> None:
        for effect, code in raw.then.items():
            where = f"{path}.then.{effect}"
            if effect not in spec.effects:
                raise self._problem(where, f"unknown effect; effects are {', '.join(spec.effects)}")
            allowed = spec.effects[effect]
            if allowed == NUMBER:
                if not (code.isdecimal() and int(code) <= 100_000):
                    raise self._problem(where, f"{code!r} is not a whole number from 0 to 100000")
                continue
            if allowed and code not in allowed:
                raise self._problem(where, f"unknown: {code}; allowed: {', '.join(allowed)}")
            if not allowed:
                try:
                    fraction(code)
                except Refusal as refusal:
                    raise self._problem(where, refusal.detail) from None
        missing = [effect for effect in needed_effects(spec, raw.then) if effect not in raw.then]
        if missing:
            raise self._problem(f"{path}.then", f"effect missing: {', '.join(missing)}")
        if raw.then.get("shares") == "split" and fraction(raw.then["owner"]) + fraction(raw.then["closer"]) != 1:
            raise self._problem(f"{path}.then", "the parts of owner and closer must add up to 1")

    def _check_completeness(self, edition: Edition) -> None:
        """Nothing is missing, and every case of every table meets exactly one row: contradictions are found before they
        decide anything."""
        parameters, tables = needed(edition)
        for kind, known, given in (
            ("parameters", parameters, edition.parameters.keys()),
            ("tables", tables, edition.tables.keys()),
        ):
            if missing := [name for name in known if name not in given]:
                raise self._problem(f"$.{kind}", f"{kind} missing: {', '.join(missing)}")
        if found := undecided(edition, edition.tables):
            table, wrong = found
            raise self._problem(f"$.tables.{table}", wrong)


def qualified(rulebook: str, clause: str) -> str:
    """How findings cite a clause, so that clauses of several rulebooks can stand side by side."""
    return f"{rulebook}/{clause}"


def needed_effects(spec: TableSpec, then: dict[str, str]) -> tuple[str, ...]:
    """The effects a row must have, given those it has: a claim that is founded has a ground, a split has its
    two parts."""
    if then.get("claim") == "founds":
        return (*spec.required, "ground")
    if then.get("claim") == "nothing":
        return (*spec.required, "reason")
    if then.get("shares") == "split":
        return (*spec.required, "owner", "closer")
    return spec.required


class Shelf:
    """The rulebooks at hand: those shipped with the product, and folders or files of the office's own."""

    def __init__(self, *folders: Path) -> None:
        self.folders = (SHIPPED, *folders)

    def ids(self) -> list[str]:
        """The ids of all rulebooks, sorted."""
        return sorted({path.name for folder in self.folders if folder.is_dir() for path in folder.iterdir()
                       if path.is_dir() and any(path.glob("*.yaml"))})  # fmt: skip

    def editions(self, rulebook: str) -> list[tuple[Edition, str]]:
        """All editions of a rulebook with their texts, oldest first. Raises Refusal unknown_rulebook, FileProblem."""
        paths = [path for folder in self.folders for path in sorted((folder / rulebook).glob("*.yaml"))]
        if not paths or "/" in rulebook or rulebook in ("", ".", ".."):
            raise Refusal("unknown_rulebook", f"{rulebook!r}; there are: {', '.join(self.ids())}")
        found = [read_edition(path) for path in paths]
        self._check_order(rulebook, paths, found)
        return found

    @staticmethod
    def _check_order(rulebook: str, paths: list[Path], found: list[tuple[Edition, str]]) -> None:
        latest: date | None = None
        for path, (edition, _) in zip(paths, found, strict=True):
            if edition.rulebook != rulebook or path.stem != edition.in_force_from.isoformat():
                raise FileProblem(
                    str(path),
                    1,
                    "$",
                    f"folder and file name must be {edition.rulebook}/{edition.in_force_from}.yaml",
                )
            if latest is not None and edition.in_force_from <= latest:
                raise FileProblem(
                    str(path),
                    1,
                    "$.in_force_from",
                    f"an edition in force from {latest} has been published; a new one must begin later",
                )
            latest = edition.in_force_from

    def edition(self, rulebook: str, day: date | None = None) -> tuple[Edition, str]:
        """The edition in force on a day (default: the latest) and its text; `rulebook` is an id or a path to a file.

        Raises Refusal unknown_rulebook, RulebookError for a day before the first edition, FileProblem.
        """
        if rulebook.endswith((".yaml", ".yml")):
            return read_edition(Path(rulebook))
        editions = self.editions(rulebook)
        if day is None:
            return editions[-1]
        for edition, text in reversed(editions):
            if edition.in_force_from <= day:
                return edition, text
        first = editions[0][0].in_force_from
        raise RulebookError(f"{rulebook} has no edition in force on {day}; the first begins on {first}")

    def all(self) -> Iterator[Edition]:
        """The latest edition of every rulebook."""
        for rulebook in self.ids():
            yield self.editions(rulebook)[-1][0]


def read_edition(path: Path) -> tuple[Edition, str]:
    """An edition and its text from a file. Raises FileProblem, Refusal unknown_rulebook when there is no such file."""
    if not path.is_file():
        raise Refusal("unknown_rulebook", f"there is no file {path}")
    content = path.read_bytes()
    if len(content) > LARGEST_BYTES:
        raise FileProblem(str(path), None, "", f"larger than {LARGEST_BYTES} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileProblem(str(path), line, "", "not UTF-8") from None
    return parse_edition(text, str(path)), text
