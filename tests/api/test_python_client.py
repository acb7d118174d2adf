"""The generated client: the generator understands the whole document, and the example works with what it makes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.api.house import House

EXAMPLE = Path(__file__).parents[2] / "examples" / "python-client"
ROOT = str(Path(__file__).parents[2])


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("client")
    command = [sys.executable, str(EXAMPLE / "generate.py"), str(folder)]
    made = subprocess.run(command, env={**os.environ, "PYTHONPATH": ROOT}, capture_output=True, text=True, timeout=120)
    assert made.returncode == 0 and "arning" not in made.stdout + made.stderr, made.stdout + made.stderr
    return folder / "lunpai_client"


def test_every_operation_has_a_function(package: Path, house: House) -> None:
    spec = house.client.get("/openapi.json").json
    assert spec is not None
    operations = {
        operation["operationId"]
        for path in spec["paths"].values()
        for method, operation in path.items()
        if method != "parameters"
    }
    made = {path.stem for path in package.glob("api/*/*.py")} - {"__init__"}
    assert made == operations
    # Each answer is read as the type that the document names, not left out as something it could not work out.
    for path in package.glob("api/*/*.py"):
        assert path.stem == "__init__" or "response.status_code == 200" in path.read_text("utf-8"), path


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


def test_a_morning_at_the_desk(package: Path, house: House) -> None:
    server = make_server("127.0.0.1", 0, house.app, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        command = [sys.executable, str(EXAMPLE / "morning.py"), "员工consultant", "13900000001"]
        environment = {
            **os.environ,
            "PYTHONPATH": str(package.parent),
            "PYTHONIOENCODING": "utf-8",
            "LUNPAI": f"http://127.0.0.1:{server.server_port}",
            "LUNPAI_KEY": house.keys["desk"],
            "NO_PROXY": "*",
        }
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, cwd=package.parent)
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert (
            lines[0].startswith("员工consultant is here") and lines[1] == "r1: 员工consultant receives, because named"
        )
        assert lines[2].startswith("员工consultant owns the visitor until 20") and lines[3].startswith("cited: A")
        environment["LUNPAI_KEY"] = house.keys["finance"]
        refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert refused.returncode == 1 and refused.stderr.startswith("access_denied: ")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
