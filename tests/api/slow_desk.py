"""A desk in a process of its own, which tells when it is in the middle of a command and waits there for a word."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from application.privacy import master_key
from application.sales_office import SalesOffice
from interfaces.api.app import create_app
from interfaces.store import SCHEMA, store_at


def main(uri: str, home: str, path: str, key: str, idempotency: str) -> None:
    register = SalesOffice.register

    def slow(self: SalesOffice, *arguments: Any, **more: Any) -> Any:
        print("inside", flush=True)
        sys.stdin.readline()
        return register(self, *arguments, **more)

    SalesOffice.register = slow  # type: ignore[method-assign]
    client = create_app(store_at(uri, SCHEMA, master_key(Path(home)))).test_client()
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": idempotency}
    print(client.post(path, json={"name": "赵强"}, headers=headers).status_code, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
