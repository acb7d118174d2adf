"""Generates the Python client from the API's own document: python examples/python-client/generate.py [FOLDER]

It is not kept in the repository: it has more lines than the API that it speaks to, and is made in seconds."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from application.event_store.memory import MemoryRecorder
from application.event_store.record import Record
from application.privacy import Keyring
from application.rulebooks import Shelf
from interfaces.api.app import create_app
from interfaces.store import Store

HERE = Path(__file__).parent
PACKAGE = "lunpai_client"


def document() -> bytes:
    """The OpenAPI document, as a server answers it - less what the generator would take for different types: that of
    some fields one must be given, and not the other."""
    record = Record(MemoryRecorder())
    app = create_app(Store(record, Keyring(bytes(32), record.person_keys), Shelf()))
    spec = app.test_client().get("/openapi.json").json
    assert spec is not None
    for schema in spec["components"]["schemas"].values():
        for choice in ("oneOf", "anyOf"):
            if "properties" in schema:
                schema.pop(choice, None)
    return json.dumps(spec).encode()


def generate(folder: Path) -> Path:
    """The package, made anew in a folder. A document that the generator doesn't wholly understand is an error."""
    package = folder / PACKAGE
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "openapi.json"
        path.write_bytes(document())
        command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--overwrite"]
        command += ["--fail-on-warning", "--config", str(HERE / "config.yaml")]
        subprocess.run([*command, "--path", str(path), "--output-path", str(package)], check=True)
    return package


if __name__ == "__main__":
    print(generate(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE))
