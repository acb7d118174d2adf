"""The server itself: `lunpai serve` with processes and threads, many clients at once, and an end in good order."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from application.access_keys import issue, revoke
from application.logins import bind
from application.sales_office import SalesOffice, open_site
from application.tokens import LARGEST_TOKEN
from interfaces.api.serving import GRACE_SECONDS
from interfaces.store import Store
from tests.api.house import RULEBOOK, before, now, store_on_disk
from tests.api.issuing import AUDIENCE, Issuing, issuing

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120


class Served:
    """A running server, what it has said so far, two keys of its manager's, and the issuer whose tokens it takes."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        port: int,
        keys: tuple[str, str],
        office: SalesOffice,
        store: Store,
        said: Path,
        issuer: Issuing,
    ) -> None:
        self.process, self.port, self.office, self.store, self.said = process, port, office, store, said
        self.issuer = issuer
        self.key, self.other = keys
        self.site = str(office.site_id)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json", **headers}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            return response.status, json.loads(response.read())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("served")
    with store_on_disk(home) as store, issuing() as issuer:
        office = open_site(
            store.record, store.keyring, store.shelf, name="滨江一号", timezone="Asia/Shanghai", stamp=before()
        )
        office.adopt(before(), rulebook=RULEBOOK)
        staff = office.enrol_staff(before(), name="陈静", role="manager").subject
        assert staff is not None
        keys = issue(office, now(), staff=staff).text, issue(office, now(), staff=staff).text
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        bind(office, now(), issuer=issuer.url, subject="chen", staff=staff)
        environment = {**os.environ, "LUNPAI_HOME": str(home), "LANG": "C.UTF-8"}
        environment |= {"LUNPAI_OIDC_ISSUER": issuer.url, "LUNPAI_OIDC_AUDIENCE": AUDIENCE}
        environment.pop("LUNPAI_DATABASE_URL", None)
        said = home / "said"  # no pipe: one that nobody reads is full after some hundred requests
        with said.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "interfaces.cli", "serve", "--port", str(port), "--workers", "2"],
                cwd=ROOT, env=environment, stderr=stderr,
            )  # fmt: skip
        served = Served(process, port, keys, office, store, said, issuer)
        wait_until_it_answers(served)
        yield served
        if process.poll() is None:
            process.kill()
        process.wait()


def wait_until_it_answers(served: Served) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            assert served.ask("GET", "/healthz") == (200, {"status": "ok"})
            return
        except OSError:
            assert served.process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)


def test_many_clients_and_the_same_command_many_times(served: Served) -> None:
    path = f"/v1/sites/{served.site}/registrations"

    def register(number: int) -> tuple[int, Any]:
        body = {"name": f"客户{'赵钱孙李'[number % 4]}", "phone": f"1390000000{number % 4}"}
        while True:
            status, told = served.ask("POST", path, body, **{"Idempotency-Key": f"once-{number % 4}"})
            if status != 409:
                return status, told
            time.sleep(0.01)  # the same command is being carried out

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(register, range(40)))
    assert {status for status, _ in answers} == {200}
    first = {(told["visitor"]["visitor"], told["position"]) for _, told in answers}
    assert len(first) == 4 and sum(not told["repeated"] for _, told in answers) == 4


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (f"GET /v1/sites?name={'x' * 3000} HTTP/1.1\r\n\r\n", 414, "address_too_long"),
        (f"GET /v1/sites HTTP/1.1\r\nX-Long: {'x' * 9000}\r\n\r\n", 431, "headers_too_large"),
        ("GET /v1/sites HTTP/1.1\r\nName : 周全\r\n\r\n", 400, "bad_request"),
        ("周全\r\n\r\n", 400, "bad_request"),
    ],
)
def test_what_is_no_request_is_told_of_as_a_problem(served: Served, sent: str, status: int, code: str) -> None:
    with closing(socket.create_connection(("127.0.0.1", served.port), timeout=60)) as connection:
        connection.sendall(sent.encode())
        response = http.client.HTTPResponse(connection)
        response.begin()
        told = json.loads(response.read())
    assert (response.status, told["code"], told["status"]) == (status, code, status)
    assert response.headers["Content-Type"] == "application/problem+json"


def test_the_cap_on_look_ups_is_one_for_all_processes(served: Served) -> None:
    """Thirty a minute for the manager, whichever of the two processes is asked."""

    def look_up(number: int) -> tuple[int, Any]:
        return served.ask("POST", f"/v1/sites/{served.site}/visitors/look-up", {"phone": "13900000001"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(look_up, range(45)))
    assert [status for status, _ in answers].count(200) == 30
    assert {told["code"] for status, told in answers if status != 200} == {"too_many_requests"}


def test_ready_with_lag(served: Served) -> None:
    status, told = served.ask("GET", "/readyz")
    assert status == 200 and told["position"] > 0
    assert {view["view"] for view in told["views"]} >= {"ownership", "turn_board"}


def measured(served: Served) -> dict[str, float]:
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)) as connection:
        connection.request("GET", "/v1/metrics", headers={"Authorization": f"Bearer {served.key}"})
        response = connection.getresponse()
        kind, lines = response.headers["Content-Type"], response.read().decode().splitlines()
    assert response.status == 200 and kind == "text/plain; version=0.0.4; charset=utf-8"
    return {name: float(value) for line in lines if not line.startswith("#") for name, value in [line.rsplit(" ", 1)]}


def test_metrics_for_whoever_watches(served: Served) -> None:
    values = measured(served)
    assert values["lunpai_record_position"] == served.store.record.position()
    behind = values["lunpai_record_position"] - values['lunpai_view_position{view="ownership"}']
    assert values['lunpai_view_behind_facts{view="ownership"}'] == behind
    assert served.ask("GET", "/v1/metrics", Authorization="Bearer nobody")[0] == 401


def test_requests_are_counted_over_all_processes(served: Served) -> None:
    asked = 'lunpai_http_requests_total{method="GET",operation="list_sites",status="2xx"}'
    before = measured(served).get(asked, 0)
    for _ in range(20):
        assert served.ask("GET", "/v1/sites")[0] == 200
    assert {measured(served)[asked] - before for _ in range(8)} == {20}
    workers = [child.pid for child in psutil.Process(served.process.pid).children() if child.name() != "postgres"]
    os.kill(max(workers), signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while max(workers) in {child.pid for child in psutil.Process(served.process.pid).children()}:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    wait_until_it_answers(served)
    found = measured(served)
    assert found[asked] - before == 20 and found["lunpai_http_requests_under_way"] == 1


def test_a_token_opens_in_every_process(served: Served) -> None:
    def statuses(token: str) -> set[int]:
        return {served.ask("GET", "/v1/sites", Authorization=f"Bearer {token}")[0] for _ in range(12)}

    assert statuses(served.issuer.token("chen")) == {200}
    assert statuses(served.issuer.token("wang")) == statuses(served.issuer.token("chen", exp=1)) == {401}
    asked = served.issuer.asked
    assert asked.count("/.well-known/openid-configuration") == asked.count("/keys") in (1, 2), "once a process"


def test_a_token_of_the_largest_size_is_read_and_refused(served: Served) -> None:
    for length in (4000, LARGEST_TOKEN, LARGEST_TOKEN + 100):
        status, told = served.ask("GET", "/v1/sites", Authorization="Bearer " + "x" * length)
        assert (status, told["code"]) == (401, "unauthenticated")


def test_a_revoked_key_is_shut_out_of_every_process(served: Served) -> None:
    assert {served.ask("GET", "/v1/sites", Authorization=f"Bearer {served.other}")[0] for _ in range(12)} == {200}
    revoke(served.office, now(), key=served.other.split("_")[1])
    assert {served.ask("GET", "/v1/sites", Authorization=f"Bearer {served.other}")[0] for _ in range(12)} == {401}


def test_it_ends_when_told_and_brings_requests_to_an_end(served: Served) -> None:
    answers: list[int] = []
    stop = threading.Event()

    def go_on(number: int) -> None:
        while not stop.is_set():
            try:
                name = {"Idempotency-Key": f"end-{number}-{len(answers)}"}
                answers.append(
                    served.ask("POST", f"/v1/sites/{served.site}/registrations", {"name": "周全"}, **name)[0]
                )
            except OSError:
                return  # nobody listens any more

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(answers) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    watching = http.client.HTTPConnection("127.0.0.1", served.port, timeout=15)
    path = f"/v1/sites/{served.site}/queue/events"
    watching.request("GET", path, headers={"Authorization": f"Bearer {served.key}"})
    board = watching.getresponse()
    assert board.status == 200 and board.readline().startswith(b"retry:")
    asked_at = time.monotonic()
    served.process.send_signal(signal.SIGTERM)
    status = served.process.wait(PATIENCE_SECONDS)
    # A live board would go on for ever; it is ended, not waited for.
    assert time.monotonic() - asked_at < GRACE_SECONDS - 5
    assert b"event: board" in board.read()
    watching.close()
    stop.set()
    for thread in threads:
        thread.join(60)
    assert status == 0 and set(answers) <= {200, 409}
    lines = served.said.read_text().splitlines()
    assert lines[0].endswith("/docs") and all(json.loads(line)["event"] for line in lines[1:])
    assert "周全" not in "".join(lines) and "1390000" not in "".join(lines)
    # Its workers left the database alone, which others use too.
    assert served.store.record.position() > 0
