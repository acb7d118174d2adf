"""schemathesis against the running server: requests made from the OpenAPI document, lawful and unlawful by thousands, with
all of its checks. generated.toml says what it is told, and why; `generated.py` is loaded by it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from application.access_keys import issue
from application.replay.matter import find_matter
from interfaces.api import examples
from interfaces.cli_office import raise_dispute
from interfaces.cli_start import CONTESTED, MANAGER, load_sample
from interfaces.store import Store
from projections.rebuild import rebuild
from tests.api.house import now, store_on_disk
from tests.api.serving import ROOT, serving

HERE = Path(__file__).parent
CLAIMANT = "云宇敏"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The sample office, served: where, by which key of its manager's, and its ids in the place of the examples'."""
    home = tmp_path_factory.mktemp("generated")
    with store_on_disk(home) as store:
        told = prepared(store)
        with serving(home) as (_, port):
            yield {**os.environ, **told, "LUNPAI_ADDRESS": f"http://127.0.0.1:{port}"}
        store.record.close()


def prepared(store: Store) -> dict[str, str]:
    """Load the sample office, with a dispute and a reception, views and a key; what the requests are made with."""
    office = load_sample(store, "en")
    sale = find_matter(office, CONTESTED)
    assert sale.sale is not None
    dispute = find_matter(office, raise_dispute(office, sale, by=CLAIMANT)).disputes[0]
    staff = office.files.staff_by_name()
    consultants = [one.staff for one in office.files.site().staff.values() if one.role == "consultant"]
    relative = office.register(now(), by=consultants[0], name="钱多", phone="13900000077").subject
    for consultant in consultants[:2]:
        office.floor.sign_in(now(), who=consultant)
    office.floor.receive(now(), channel="visit")
    rebuild(store.read_side)
    ids = {
        examples.SITE: office.site_id,
        examples.STAFF: consultants[0],
        examples.COLLEAGUE: consultants[1],
        examples.LEAVER: consultants[2],
        examples.VISITOR: sale.entry.visitor,
        examples.RELATIVE: relative,
        examples.SALE: sale.sale.id,
        examples.DISPUTE: dispute.id,
    }
    return {
        "LUNPAI_KEY": issue(office, now(), staff=staff[MANAGER][0]).text,
        "LUNPAI_EXAMPLES": json.dumps({example: str(real) for example, real in ids.items()}),
    }


def tried(environment: dict[str, str], folder: Path, *options: str) -> None:
    """Run it, in a folder of its own. Every check must hold for every request."""
    address = environment["LUNPAI_ADDRESS"]
    found = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "generated.toml", "run"),
            *(f"{address}/openapi.json", "--checks", "all", "--no-color", "--suppress-health-check", "all", *options),
        ],
        cwd=folder, capture_output=True, text=True,
        env={**environment, "SCHEMATHESIS_HOOKS": "tests.api.generated", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    print(found.stdout)
    assert found.returncode == 0, found.stderr


def test_examples_and_the_edges_of_everything(environment: dict[str, str], tmp_path: Path) -> None:
    """Every example of the document, and every bound of every field from both sides."""
    tried(environment, tmp_path, "--phases", "examples,coverage", "--seed", "1")


@pytest.mark.long
@pytest.mark.parametrize("seed", ["2", "3"])
def test_all_phases(environment: dict[str, str], tmp_path: Path, seed: str) -> None:
    """By chance too, and in sequences in which one request goes on from another's answer."""
    tried(
        environment, tmp_path, "--phases", "examples,coverage,fuzzing,stateful", "--seed", seed, "--max-examples", "60"
    )
