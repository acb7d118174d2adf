"""House rules that no linter knows: sizes, docstrings, machine paths, broad handlers, and who imports what.

A rule is a function from a file's path and text to sentences, each of which says what is wrong there and what
to do. It is tried on the whole tree, and on samples that break it, so that no rule can fall silent unseen.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("domain", "application", "projections", "interfaces", "tests")
FILE_LINES_AT_MOST = 400
FUNCTION_LINES_AT_MOST = 50
TOP_OF_FILE_LINES = 20

REASON_FOR_LENGTH = re.compile(r"(#|--) long because: \S")
# Folders that stand on one person's machine or another's, never on all. A URL's path is none.
MACHINE_PATH = re.compile(r"(?<![\w.:/$}-])(?:/(?:home|Users|root|tmp|var/tmp|work|workspace|mnt)|[A-Z]:\\\w+)[/\\]\w")

DOMAIN_LIBRARIES = sys.stdlib_module_names | {"domain", "msgspec"}
PSYCOPG = {"psycopg", "psycopg_binary", "psycopg_pool"}
PSYCOPG_ROOMS = re.compile(r"application/(event_store|privacy|embedded_postgres)|projections/|tests/")
TOO_BROAD = {"Exception", "BaseException"}

Rule = Callable[[str, str], Iterable[str]]
parse = cache(ast.parse)


def short_file(path: str, text: str) -> Iterator[str]:
    """Hold a file to 400 lines, unless its first 20 give a reason."""
    lines = text.splitlines()
    if len(lines) > FILE_LINES_AT_MOST and not REASON_FOR_LENGTH.search("\n".join(lines[:TOP_OF_FILE_LINES])):
        yield (
            f"{path}: {len(lines)} lines, more than {FILE_LINES_AT_MOST}; split it by subject, "
            f"or say why not in `# long because: ...` within its first {TOP_OF_FILE_LINES} lines"
        )


def short_functions(path: str, text: str) -> Iterator[str]:
    """Hold a function to 50 lines, unless it or the line above it gives a reason."""
    lines = text.splitlines()
    for node in ast.walk(parse(text)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first, last = node.lineno, node.end_lineno or node.lineno
        length = last - first + 1
        above = min([first, *(decorator.lineno for decorator in node.decorator_list)]) - 1
        if length > FUNCTION_LINES_AT_MOST and not REASON_FOR_LENGTH.search("\n".join(lines[max(above - 1, 0) : last])):
            yield (
                f"{path}:{first}: {node.name} has {length} lines, more than {FUNCTION_LINES_AT_MOST}; "
                "split it, or say why not in `# long because: ...` above or in it"
            )


def module_docstring(path: str, text: str) -> Iterator[str]:
    """Ask every module what it is for."""
    if not ast.get_docstring(parse(text)):
        yield f"{path}: open it with a docstring of one to three sentences that says what the file is for"


def narrow_handlers(path: str, text: str) -> Iterator[str]:
    """Refuse to catch everything, unless it is only to tidy up and raise it again."""
    for node in ast.walk(parse(text)):
        match node:
            case ast.ExceptHandler(type=None):
                yield f"{path}:{node.lineno}: bare `except:`; name the errors expected here"
            case ast.ExceptHandler(type=caught, body=[*_, last]) if broad := names_in(caught) & TOO_BROAD:
                again = isinstance(last, ast.Raise) and last.exc is None
                if not (again and broad == {"BaseException"}):
                    yield f"{path}:{node.lineno}: `except {broad.pop()}`; name the errors expected here"
            case ast.Call(func=function, args=arguments) if "suppress" in names_in(function):
                for broad_name in sorted(names_in(*arguments) & TOO_BROAD):
                    yield f"{path}:{node.lineno}: `suppress({broad_name})`; name the errors expected here"


def names_in(*nodes: ast.AST | None) -> set[str]:
    """All names in the expressions, an attribute's last part included."""
    inner = [part for node in nodes if node for part in ast.walk(node)]
    return {part.id for part in inner if isinstance(part, ast.Name)} | {
        part.attr for part in inner if isinstance(part, ast.Attribute)
    }


def imported_packages(text: str) -> Iterator[tuple[int, str]]:
    """Line and top package of every absolute import, those inside functions included."""
    for node in ast.walk(parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


def pure_domain(path: str, text: str) -> Iterator[str]:
    """Keep domain/ to the standard library and msgspec."""
    if path.startswith("domain/"):
        for line, package in imported_packages(text):
            if package not in DOMAIN_LIBRARIES:
                yield f"{path}:{line}: imports {package}; domain knows the standard library and msgspec only"


def psycopg_at_home(path: str, text: str) -> Iterator[str]:
    """Keep the database driver to the modules that are about the database."""
    if not PSYCOPG_ROOMS.match(path):
        for line, package in imported_packages(text):
            if package in PSYCOPG:
                yield (
                    f"{path}:{line}: imports {package}; only application/event_store, application/privacy*, "
                    "application/embedded_postgres* and projections/ may"
                )


def no_machine_path(path: str, text: str) -> Iterator[str]:
    """Refuse paths that exist on one machine only."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := MACHINE_PATH.search(line):
            yield f"{path}:{number}: path of one machine, {line[found.start() :][:40]!r}; make it relative"


def files(*suffixes: str) -> Iterator[tuple[str, str]]:
    """Path from the root, and text, of every file of the rooms with such a suffix."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in suffixes and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def texts() -> Iterator[tuple[str, str]]:
    """Path from the root, and text, of every file of the project that is text."""
    folders = (*ROOMS, "docs", ".ci")
    inside = (path for folder in folders for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts)
    for path in sorted([*inside, *ROOT.iterdir()]):
        # A worktree's .git is a file, and it names where the repository lies.
        if path.is_file() and path.name != ".git" and b"\0" not in (content := path.read_bytes()):
            yield path.relative_to(ROOT).as_posix(), content.decode("utf-8", errors="replace")


def hold(breaches: Iterable[str]) -> None:
    """Fail with every breach on a line of its own."""
    if found := list(breaches):
        pytest.fail("\n".join(found), pytrace=False)


LONG_FUNCTION = "def f():\n" + "    print()\n" * FUNCTION_LINES_AT_MOST
RULES_OF_CODE = (short_functions, module_docstring, narrow_handlers, pure_domain, psycopg_at_home)
BREACHES: list[tuple[Rule, str, str]] = [
    (short_file, "domain/x.py", "pass\n" * (FILE_LINES_AT_MOST + 1)),
    (short_file, "domain/x.py", "# long because: \n" + "pass\n" * FILE_LINES_AT_MOST),
    (short_functions, "domain/x.py", LONG_FUNCTION),
    (short_functions, "domain/x.py", "class A:\n" + re.sub("^", "    ", LONG_FUNCTION, flags=re.MULTILINE)),
    (module_docstring, "domain/x.py", "import re\n"),
    (narrow_handlers, "domain/x.py", "try: ...\nexcept Exception: raise"),
    (narrow_handlers, "domain/x.py", "try: ...\nexcept (ValueError, builtins.Exception): ..."),
    (narrow_handlers, "domain/x.py", "try: ...\nexcept BaseException: ..."),
    (narrow_handlers, "domain/x.py", "try: ...\nexcept: raise"),
    (narrow_handlers, "domain/x.py", "with contextlib.suppress(OSError, Exception): ..."),
    (pure_domain, "domain/x.py", "from rich.table import Table"),
    (psycopg_at_home, "interfaces/cli.py", "def f():\n    import psycopg.rows"),
    (psycopg_at_home, "application/sales_office.py", "from psycopg_pool import ConnectionPool"),
    (no_machine_path, "docs/x.md", "see /" + "home/someone/notes"),
    (no_machine_path, "docs/x.md", "see '/" + "work/it'"),
    (no_machine_path, "docs/x.md", "see C:" + "\\Users\\someone"),
]
LAWFUL: list[tuple[Rule, str, str]] = [
    (short_file, "domain/x.py", "# long because: one table\n" + "pass\n" * FILE_LINES_AT_MOST),
    (short_file, "domain/x.py", "pass\n" * FILE_LINES_AT_MOST),
    (short_functions, "domain/x.py", "# long because: one table\n@cache\n" + LONG_FUNCTION),
    (short_functions, "domain/x.py", LONG_FUNCTION.replace("print()", "# long because: one table", 1)),
    (narrow_handlers, "domain/x.py", "try: ...\nexcept BaseException:\n    tidy_up()\n    raise"),
    (
        pure_domain,
        "domain/x.py",
        "import re\nimport msgspec\nfrom domain.site import Site\nfrom . import site",
    ),
    (psycopg_at_home, "application/privacy_keys.py", "import psycopg"),
    (no_machine_path, "docs/x.md", "https://example.org/" + "home/page and GET /sites/{site}/" + "work/1"),
]


@pytest.mark.parametrize("rule", RULES_OF_CODE, ids=lambda rule: rule.__name__)
def test_every_module_keeps_the_rule(rule: Rule) -> None:
    """Show every breach at once, each with its line and what to do."""
    hold(breach for path, text in files(".py") for breach in rule(path, text))


def test_every_file_of_code_is_short() -> None:
    """Count queries as well as modules."""
    hold(breach for path, text in files(".py", ".sql") for breach in short_file(path, text))


def test_no_file_names_a_path_of_one_machine() -> None:
    """Look through code, data and documents."""
    hold(breach for path, text in texts() for breach in no_machine_path(path, text))


def test_every_room_is_looked_at() -> None:
    """An empty room would keep every rule."""
    empty = {f"{room}/" for room in ROOMS} - {path.partition("/")[0] + "/" for path, _ in files(".py")}
    assert not empty, f"no module found in {', '.join(sorted(empty))}"


@pytest.mark.parametrize(("rule", "path", "text"), BREACHES)
def test_a_rule_sees_its_breach(rule: Rule, path: str, text: str) -> None:
    """Each rule names the file, and speaks once."""
    assert [breach.partition(":")[0] for breach in rule(path, text)] == [path]


@pytest.mark.parametrize(("rule", "path", "text"), LAWFUL)
def test_a_rule_lets_the_lawful_be(rule: Rule, path: str, text: str) -> None:
    """No rule asks for more than it says."""
    assert list(rule(path, text)) == []
