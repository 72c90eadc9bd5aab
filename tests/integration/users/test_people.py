"""Meeting people, their names, their terms."""

from __future__ import annotations

import asyncio

import pytest

from tests.integration.users.conftest import ADA, OWNER, Town
from viralcore.core.errors import NotFound
from viralcore.users.api import Blocked, Profile, TermsNotAccepted

EVENTS = "SELECT payload->>'user_id', payload->>'payload' FROM core.events WHERE name = 'users.registered.v1'"


async def test_first_contact_is_told_once_with_its_payload(town: Town) -> None:
    await town.meet(ADA, payload="ref_7")
    town.clock.advance(60)
    await town.meet(ADA, payload="ref_8")
    await town.service.meet(key="u9", profile=Profile(ADA, "Another Name"), start_payload="ref_9")
    assert town.rows(EVENTS) == [("5", "ref_7")]
    assert town.rows("SELECT first_payload, first_name FROM users.people") == [("ref_7", "Another Name")]


async def test_two_updates_at_once_are_one_first_contact(town: Town) -> None:
    await asyncio.gather(*(town.meet(ADA, payload=f"ref_{n}") for n in range(5)))
    assert len(town.rows(EVENTS)) == 1


async def test_a_forged_payload_is_not_kept(town: Town) -> None:
    await town.meet(ADA, payload="ref_7'; DROP")
    assert town.rows(EVENTS) == [("5", None)]


async def test_a_known_face_costs_no_write(town: Town) -> None:
    await town.meet(ADA, "ada")
    town.clock.advance(60)
    await town.meet(ADA, "ada")
    ((created, updated),) = town.rows("SELECT created_at, updated_at FROM users.people")
    assert created == updated


async def test_a_person_as_others_see_them(town: Town) -> None:
    seen = await town.meet(ADA, "Ada_L")
    assert seen == await town.service.get(user_id=ADA)
    assert (seen.first_name, seen.username, list(seen.roles), seen.staff) == ("Person 5", "Ada_L", ["user"], False)
    assert [seen.terms_accepted, seen.blocked, seen.unreachable] == [False] * 3
    assert (await town.service.get_many(user_ids=[ADA, 404])) == {ADA: seen}
    with pytest.raises(NotFound):
        await town.service.get(user_id=404)
    with pytest.raises(ValueError, match="at most"):
        await town.service.get_many(user_ids=range(1001))


async def test_a_handle_is_found_in_any_case_and_belongs_to_its_last_bearer(town: Town) -> None:
    await town.meet(ADA, "Lovelace")
    found = await town.service.find(handle=" @LOVELACE")
    assert found is not None
    assert found.id == ADA
    await town.meet(6, "lovelace")
    found = await town.service.find(handle="lovelace")
    assert found is not None
    assert found.id == 6
    assert (await town.service.get(user_id=ADA)).username is None
    assert await town.service.find(handle="nobody") is None


async def test_terms_are_accepted_once_and_by_version(town: Town) -> None:
    await town.meet(ADA)
    with pytest.raises(TermsNotAccepted):
        await town.require_active(ADA)
    with pytest.raises(TermsNotAccepted):
        await town.service.accept_terms(key="k", user_id=ADA, version="1")
    version = town.service.terms_version()
    assert (await town.service.accept_terms(key="k", user_id=ADA, version=version)).terms_accepted
    first = town.rows("SELECT version, accepted_at FROM users.terms")
    town.clock.advance(60)
    await town.service.accept_terms(key="k2", user_id=ADA, version=version)
    assert town.rows("SELECT version, accepted_at FROM users.terms") == first
    await town.require_active(ADA)
    with pytest.raises(NotFound):
        await town.service.accept_terms(key="k3", user_id=404, version=version)


async def test_the_blocked_may_not_act(town: Town) -> None:
    await town.meet(ADA)
    await town.service.accept_terms(key="k", user_id=ADA, version="2")
    await town.block(ADA)
    with pytest.raises(Blocked):
        await town.require_active(ADA)
    assert (await town.service.get(user_id=ADA)).blocked
    await town.service.unblock(key="un", actor=0, kind="user", value=str(ADA), reason="a mistake")
    await town.require_active(ADA)


async def test_unreachable_and_back(town: Town) -> None:
    await town.meet(ADA)
    for state in (True, False):
        async with town.db.transaction() as tx:
            await town.service.set_unreachable(tx, user_id=ADA, unreachable=state)
        assert (await town.service.get(user_id=ADA)).unreachable is state


async def test_owners_are_owners_before_they_are_met(town: Town) -> None:
    assert town.audit() == [(0, "role.granted", "user:1000"), (0, "role.granted", "user:1001")]
    await town.service.ensure_owners([OWNER])
    assert len(town.audit()) == 2
    met = await town.meet(OWNER)
    assert met.staff
    assert "switches" in met.rights
