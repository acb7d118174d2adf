"""What is sealed of a person beside name and phone: who they are elsewhere."""

from __future__ import annotations

import secrets

import pytest

from application.event_store.appending import StoreRefused
from application.privacy import Keyring, mask_text


def test_other_text_about_a_person_is_sealed_like_the_contact() -> None:
    master = secrets.token_bytes(32)
    keyring = Keyring(master, lambda persons: {})
    person = keyring.new_person()
    content = keyring.seal_note(person.person, "lin@example.org")
    assert b"lin" not in content
    later = Keyring(master, lambda persons: {person.person: person.wrapped})
    assert later.open_note(person.person, content) == "lin@example.org"
    assert Keyring(master, lambda persons: {}).open_note(person.person, content) is None
    with pytest.raises(StoreRefused):
        later.open_note(person.person, content[:-1])


@pytest.mark.parametrize(("text", "mask"), [("chen.jing@example.org", "che****rg"), ("chen", "c****"), ("", "****")])
def test_what_tells_who_somebody_is_elsewhere_is_masked(text: str, mask: str) -> None:
    assert mask_text(text) == mask
