"""The rights table of PRODUCT 1, and the rules about people that need no database."""

from __future__ import annotations

import pytest

from viralcore.users import domain
from viralcore.users.api import Profile
from viralcore.users.config import UsersConfig

SUPPORT = {"users.view", "orders.view", "orders.retry", "tickets", "reply_guys.manage", "replies.approve"}
FINANCE = {"payments.assign", "refunds", "withdrawals.decide", "balances.adjust", "reports", "exports"}
OWNER = {"roles", "plans", "panels", "groups", "limits", "broadcast", "audit", "switches"}


def test_the_table_is_the_one_of_the_product() -> None:
    assert domain.RIGHTS["support"] == SUPPORT
    assert domain.RIGHTS["finance"] == SUPPORT | FINANCE
    assert domain.RIGHTS["owner"] == SUPPORT | FINANCE | OWNER
    assert domain.RIGHTS["reply_guy"] - domain.RIGHTS["user"] == {"tasks"}
    assert not domain.RIGHTS["reply_guy"] & domain.RIGHTS["owner"]


def test_roles_add_up() -> None:
    assert domain.rights_of({"user", "reply_guy", "support"}) == SUPPORT | domain.RIGHTS["reply_guy"]
    assert domain.as_roles(()) == {"user"}


def test_who_has_a_right() -> None:
    assert domain.roles_with("refunds") == {"finance", "owner"}
    assert domain.roles_with("orders.retry") == {"support", "finance", "owner"}
    with pytest.raises(ValueError, match="no right"):
        domain.roles_with("everything")


def test_money_and_roles_need_a_session_and_retrying_does_not() -> None:
    assert {"refunds", "withdrawals.decide", "balances.adjust", "payments.assign", "roles"} <= domain.NEEDS_SESSION
    assert {"reply_guys.manage", "replies.approve", "switches"} <= domain.NEEDS_SESSION
    assert not {"orders.retry", "orders.view", "users.view", "tickets"} & domain.NEEDS_SESSION
    assert not domain.NEEDS_SESSION - domain.RIGHTS["owner"]


def test_support_may_only_make_reply_guys() -> None:
    assert domain.right_to_change("reply_guy") in domain.RIGHTS["support"]
    for role in ("support", "finance", "owner"):
        assert domain.right_to_change(role) not in domain.RIGHTS["finance"]
    with pytest.raises(ValueError, match="granted"):
        domain.right_to_change("user")


@pytest.mark.parametrize("text", [None, "", "ref_1 drop", "ref_1\n", "x" * 65, "реф", "<b>"])
def test_a_payload_no_link_could_carry_is_dropped(text: str | None) -> None:
    assert domain.payload(text) is None


def test_a_payload_of_a_link_is_kept() -> None:
    assert domain.payload("ref_123") == "ref_123"


def test_a_profile_is_bounded_and_storable() -> None:
    tidy = domain.tidy(Profile(1, " A\x00da " + "x" * 400, "@Ada_L", "en"))
    assert (tidy.first_name[:4], len(tidy.first_name), tidy.username) == ("Ada ", 256, "Ada_L")
    assert domain.tidy(Profile(1, "", "not a name", "")) == Profile(1, "", None, None)


def test_what_is_blocked_has_one_spelling() -> None:
    assert domain.block_value("handle", " @BadGuy ") == "badguy"
    assert domain.block_value("link", "https://x.com/a/status/1") == "https://x.com/a/status/1"
    assert domain.block_value("user", "17") == "17"
    for kind, value in (("user", "ada"), ("user", "0"), ("user", "-5"), ("handle", "@"), ("link", "x" * 501)):
        with pytest.raises(ValueError):
            domain.block_value(kind, value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "bad", [{"terms_version": ""}, {"staff_session_minutes": 0}, {"terms_version": "a b"}, {"x": 1}]
)
def test_settings_are_validated(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        UsersConfig.model_validate({"terms_version": "1", "staff_session_minutes": 60} | bad)
