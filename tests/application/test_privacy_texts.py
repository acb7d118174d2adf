"""What is sealed of a person beside name and phone: who they are elsewhere; and phones as nearly everybody gives them."""

from __future__ import annotations

import secrets
from random import Random

import pytest

from application.event_store.appending import StoreRefused
from application.privacy import Keyring, clean_phone, mask_text
from domain.refusals import Refusal


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


def test_a_plain_mobile_number_is_taken_as_the_library_takes_it() -> None:
    """Of every prefix: given plainly it is looked at here, with blanks by the library."""

    def told(phone: str) -> str:
        try:
            return clean_phone(phone)
        except Refusal as refusal:
            return refusal.code

    tails = Random(1)
    plain = [f"{prefix}{tails.randrange(10**6):06d}" for prefix in range(10_000, 20_000)]
    assert [told(phone) for phone in plain] == [told(f"{phone[:3]} {phone[3:]}") for phone in plain]
    assert {told(phone)[:3] for phone in plain} == {"+86", "bad"}
