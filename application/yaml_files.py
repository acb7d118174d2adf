"""YAML 1.2 as people write it: plain values plus the line each came from, so that every error can name file,
line and path."""

from __future__ import annotations

import re
import threading
from typing import Any, TypeVar

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

T = TypeVar("T")
_learning = threading.Lock()
"""msgspec learns a type when it first converts to it, and that is not safe from several threads at once."""

MOST_NESTED = 40
MOST_VALUES = 100_000
"""Aliases are written out, so a few lines could become a billion values."""


class FileProblem(Exception):
    """A file that can't be used. The message is one line: file, line, path in the document, what is wrong."""

    def __init__(self, file: str, line: int | None, path: str, message: str) -> None:
        self.file, self.line, self.path, self.message = file, line, path, message
        where = f"{file}:{line}" if line else file
        super().__init__(f"{where}: {path + ': ' if path not in ('', '$') else ''}{message}")


class Document:
    """The plain content of a YAML file (`data`: dicts with text keys, lists, text, int, float, bool, None).

    Dates and times stay text; a bare 10:00 is text as YAML 1.2 has it.
    """

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self._lines: dict[str, int] = {}
        self._values = 0
        yaml = YAML(typ="safe", pure=True)
        yaml.version = (1, 2)
        self._constructor = yaml.constructor
        try:
            if any(line.startswith("%") for line in text.splitlines()):
                raise FileProblem(file, 1, "", "directives (lines that begin with %) are not allowed")
            node = yaml.compose(text)
        except RecursionError:
            raise FileProblem(file, None, "", "nested too deeply") from None
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else None
            raise FileProblem(file, line, "", f"not readable as YAML: {error.problem or error.context}") from None
        except (YAMLError, ValueError) as error:
            raise FileProblem(file, None, "", f"not readable as YAML: {' '.join(str(error).split())}") from None
        if node is None:
            raise FileProblem(file, 1, "", "the file is empty")
        self.data: Any = self._plain(node, "$", 0)

    def line(self, path: str) -> int | None:
        """The line of a path such as $.steps[3].expect, or of its nearest parent."""
        while path and path not in self._lines:
            path = re.sub(r"(\.[^.\[\]]+|\[[^\]]*\])$", "", path) if path != "$" else ""
        return self._lines.get(path)

    def problem(self, path: str, message: str) -> FileProblem:
        return FileProblem(self.file, self.line(path), path, message)

    def convert(self, kind: type[T], data: Any = None, path: str = "$") -> T:
        """The document (or the part of it at `path`) as a msgspec type. Raises FileProblem with the line."""
        try:
            with _learning:
                return msgspec.convert(self.data if data is None else data, kind, strict=True)
        except msgspec.ValidationError as error:
            message, _, inner = str(error).partition(" - at `")
            where = path + inner.rstrip("`").removeprefix("key in ").removeprefix("$")
            raise self.problem(where, message) from None

    def _plain(self, node: Node, path: str, depth: int) -> Any:
        self._lines[path] = node.start_mark.line + 1
        if depth > MOST_NESTED:
            raise self.problem(path, "nested too deeply")
        self._values += 1
        if self._values > MOST_VALUES:
            raise self.problem(path, "more values than a file of this kind can have")
        plain = "map" if isinstance(node, MappingNode) else "seq" if isinstance(node, SequenceNode) else None
        if plain is not None and not (node.tag or "").endswith(f":{plain}"):
            raise self.problem(path, f"tags such as {node.tag} are not allowed")
        if isinstance(node, MappingNode):
            return self._mapping(node, path, depth)
        if isinstance(node, SequenceNode):
            return [self._plain(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        kind = (node.tag or "").rpartition(":")[2]
        if kind in ("int", "float", "bool", "null"):
            try:
                return self._constructor.construct_object(node)
            except (ValueError, KeyError, YAMLError):
                raise self.problem(path, f"{node.value!r} is no {kind}") from None
        if kind in ("str", "timestamp"):
            return node.value
        raise self.problem(path, f"tags such as {node.tag} are not allowed")

    def _mapping(self, node: MappingNode, path: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                raise self.problem(path, "a key must be plain text")
            key = key_node.value
            if key in found:
                line = key_node.start_mark.line + 1
                raise FileProblem(self.file, line, f"{path}.{key}", f"the key {key} stands here twice")
            found[key] = self._plain(value_node, f"{path}.{key}", depth + 1)
            self._lines[f"{path}.{key}"] = key_node.start_mark.line + 1
        return found
