"""Flutterwave v3 (APIS 1): its envelope, its amounts and its webhooks. What a call means is the caller's business.

A reply is one of four. `Granted`: the envelope says success, which for a POST may still only mean "queued".
`Declined`: Flutterwave itself said no. `Unsent`: proven that nothing reached it. `Unclear`: anything else, and after a
POST it may have happened.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Literal

from pydantic import SecretStr

from viralcore.core.http import Answer, HttpFailure, NotSent, ProviderClient

Family = Literal["validation", "authorization", "not_found", "duplicate", "setup", "busy"]
"""validation: what we sent is not accepted. authorization: our key is not. not_found: no such transaction, transfer or
page. duplicate: the reference was used before. setup: the account may not do this (not approved, address not listed).
busy: too many requests."""
HookKind = Literal["charge", "transfer", "other"]
LONGEST_WORD = 200
_NOISE = Decimal("0.000001")

_SETUP = ("whitelist", "merchant", "not enabled", "not approved", "approval", "compliance")
_NOT_FOUND = ("not found", "no transaction was found", "no transaction", "does not exist")
_DUPLICATE = ("already exist", "duplicate")


@dataclass(frozen=True, slots=True)
class Granted:
    """`data`: the envelope's data; None where an answer has none. `body`: the whole envelope (charges keep what matters
    in its ``meta``)."""

    data: Any
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Declined:
    """Flutterwave's own no. `message`: its words, for staff and the log, never for a customer."""

    family: Family
    message: str


@dataclass(frozen=True, slots=True)
class Unsent:
    """Nothing was sent: no connection, or its breaker is open."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Silence, a 5xx, or an answer that is not theirs. Of a POST nobody knows whether it was done."""

    reason: str


Reply = Granted | Declined | Unsent | Unclear


class Flutterwave:
    """One account, by its secret key (which also chooses between live and test mode)."""

    def __init__(self, client: ProviderClient, key: SecretStr) -> None:
        self._client = client
        self._headers = {"Authorization": f"Bearer {key.get_secret_value()}"}

    def slot(self) -> AbstractAsyncContextManager[object]:
        """Pace, parallelism and breaker, for effects that must wait before they claim. Raises BreakerOpen."""
        return self._client.slot()

    async def read(self, path: str, **params: str) -> Reply:
        """Ask; changes nothing, so it is tried again on every failure."""
        try:
            answer = await self._client.read_json("GET", path, params=params or None, headers=self._headers)
        except NotSent as failure:
            return Unsent(failure.reason)
        except HttpFailure as failure:
            return Unclear(failure.reason)
        return read_reply(answer)

    async def ask(self, path: str, body: Mapping[str, Any]) -> Reply:
        """A question that is put as a POST: changes nothing, so it is tried again as `read` is."""
        try:
            answer = await self._client.read_json("POST", path, json=dict(body), headers=self._headers)
        except NotSent as failure:
            return Unsent(failure.reason)
        except HttpFailure as failure:
            return Unclear(failure.reason)
        return read_reply(answer)

    async def send(self, path: str, body: Mapping[str, Any], **params: str) -> Reply:
        """Do something. Tried again only while it is proven that nothing was sent."""
        try:
            answer = await self._client.send(
                "POST", path, params=params or None, json=dict(body), headers=self._headers
            )
        except NotSent as failure:
            return Unsent(failure.reason)
        except HttpFailure as failure:
            return Unclear(failure.reason)
        return read_reply(answer)


def read_reply(answer: Answer) -> Reply:
    """What an answer below 500 says. Only an envelope of theirs is a yes or a no."""
    body = answer.body
    if not isinstance(body, dict) or body.get("status") not in ("success", "error"):
        return Declined("busy", "") if answer.status == 429 else Unclear(f"http_{answer.status}")
    if body["status"] == "success":
        return Granted(body.get("data"), body) if answer.ok else Unclear(f"http_{answer.status}")
    message = word(body.get("message"))
    return Declined(_family(answer.status, message.lower()), message)


def _family(status: int, message: str) -> Family:
    if status == 429:
        return "busy"
    if status == 401 or "secret key" in message or "authorization" in message:
        return "authorization"
    if any(words in message for words in _DUPLICATE):
        return "duplicate"
    if status == 404 or any(words in message for words in _NOT_FOUND):
        return "not_found"
    if status == 403 or any(words in message for words in _SETUP):
        return "setup"
    return "validation"


# --- values -----------------------------------------------------------------------------------------------------------


def word(value: Any) -> str:
    """A text or a number of theirs as a short text a database takes; nothing for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    if isinstance(value, int) and abs(value) >= 10**LONGEST_WORD:
        return ""
    plain = str(value).encode("utf-8", errors="replace").decode().replace("\0", "")
    return plain.strip()[:LONGEST_WORD]


def amount(value: Any) -> Decimal | None:
    """An amount in major units. None for what they send when there is none: null, ``"NaN"``, ``"N/A"``."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        found = Decimal(value)
    except ArithmeticError:
        return None
    return found if found.is_finite() and abs(found) < Decimal("1e15") else None


def minor_units(value: Any) -> int | None:
    """An amount that came in, in hundredths, never rounded up; None where there is none above zero."""
    found = amount(value)
    if found is None or found <= 0:
        return None
    return int((found * 100).to_integral_value(rounding=ROUND_FLOOR))


def minor_fee(value: Any) -> int | None:
    """A fee in hundredths, rounded up: theirs come as 26.875 and 3.3000000000000003. None where there is none."""
    found = amount(value)
    if found is None or found < 0:
        return None
    # What a binary float adds in its last digits is noise, not a fee: 3.3000000000000003 is 3.30.
    clean = (found * 100).quantize(_NOISE)
    return int(clean.to_integral_value(rounding=ROUND_CEILING))


def moment(value: Any) -> datetime | None:
    """A point in time in any of their spellings: ISO with Z, ``2024-03-21 5:40:08 PM``, or milliseconds. Those without
    a zone are read as UTC."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _from_milliseconds(value)
    if not isinstance(value, str) or not value.strip():
        return None
    text = " ".join(value.split())
    if text.isascii() and text.isdigit():
        return _from_milliseconds(int(text))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        for shape in ("%Y-%m-%d %I:%M:%S %p", "%Y-%m-%d %I:%M %p"):
            try:
                found = datetime.strptime(text, shape)  # noqa: DTZ007 - the zone follows
                break
            except ValueError:
                continue
        else:
            return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _from_milliseconds(value: int) -> datetime | None:
    seconds, rest = divmod(value, 1000)
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)
    except (ValueError, OverflowError, OSError):
        return None


# --- webhooks ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook in any of its envelopes. It only says where to look: money moves after the API was asked.

    `id`, `reference`, `status`: as they came, empty when they did not. `external_id`: the same for every delivery of
    the same news; v3 has no event id.
    """

    external_id: str
    event: str
    kind: HookKind
    id: str
    reference: str
    status: str


def signed(raw: bytes, *, secret: SecretStr | None, plain: str | None, digest: str | None) -> bool:
    """Whether a body is Flutterwave's. `plain`: header ``verif-hash``, the secret itself. `digest`: header
    ``flutterwave-signature``, HMAC-SHA256 of the raw body in base64. Either is enough: who sends the secret itself
    could have made the other. Without a secret of ours nothing is believed."""
    key = secret.get_secret_value().encode() if secret is not None else b""
    if not key:
        return False
    wanted = base64.b64encode(hmac.new(key, raw, hashlib.sha256).digest())
    # Both are always compared: how long it takes tells nothing.
    plain_ok = hmac.compare_digest((plain or "").encode(errors="replace"), key)
    digest_ok = hmac.compare_digest((digest or "").encode(errors="replace"), wanted)
    return plain_ok or digest_ok


def read_hook(body: Any, raw: bytes) -> Hook:
    """Recognise an envelope: v3 (``event`` and ``data``), v2 (``event.type``, fields beside it or in ``transfer``). v4
    (``type``, an id of its own) is another API, which we do not speak: `other`, as is what is none of them, under the
    fingerprint of its body."""
    outer = body if isinstance(body, dict) else {}
    if "event" not in outer and (number := word(outer.get("id"))).startswith("wbk_"):
        return Hook(f"v4:{number}", word(outer.get("type")), "other", number, "", "")
    old = word(outer.get("event.type"))
    event = word(outer.get("event")) or word(outer.get("type")) or old
    inner = next((outer[name] for name in ("data", "transfer") if isinstance(outer.get(name), dict)), outer)
    reference = next((found for name in ("tx_ref", "txRef", "reference") if (found := word(inner.get(name)))), "")
    number, status = word(inner.get("id")), word(inner.get("status"))
    name = event.lower()
    kind: HookKind = "other"
    if name.startswith("transfer") or isinstance(outer.get("transfer"), dict):
        kind = "transfer"
    elif name.startswith("charge") or inner.get("tx_ref") or inner.get("txRef"):
        kind = "charge"
    known = bool(event and number)
    external_id = f"{event}:{number}:{status}" if known else f"body:{hashlib.sha256(raw).hexdigest()}"
    return Hook(external_id[:300], event, kind, number, reference, status)
