"""Reply markup, judged as Telegram judges it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from viralcore.sandbox.telegram.errors import ApiError, bad_request

BUTTON_BYTES, COPY_LIMIT, BUTTONS = 64, 256, 100
_OTHER_KINDS = ("web_app", "login_url", "switch_inline_query", "switch_inline_query_current_chat", "pay")
_FORMS = ("inline_keyboard", "keyboard", "remove_keyboard", "force_reply")


def read_markup(value: Any) -> dict[str, Any] | None:
    """A reply markup as it will be stored; None when there is none. Raises ApiError 400."""
    if value is None or value == "":
        return None
    if not isinstance(value, dict):
        raise bad_request("object expected as reply markup")
    if not value:
        return None
    if not any(form in value for form in _FORMS):
        raise bad_request("can't parse reply keyboard markup JSON object")
    if "inline_keyboard" not in value:
        return value
    rows = value["inline_keyboard"]
    if not isinstance(rows, list):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array')
    kept = []
    for row in rows:
        if not isinstance(row, list):
            raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
        if row:
            kept.append([_button(button) for button in row])
    if sum(len(row) for row in kept) > BUTTONS:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def inline(markup: dict[str, Any] | None) -> dict[str, Any] | None:
    """The part of a markup that a message shows: only inline keyboards belong to messages."""
    return markup if markup is not None and "inline_keyboard" in markup else None


def _button(button: Any) -> dict[str, Any]:
    if not isinstance(button, dict):
        raise bad_request("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    text = button.get("text")
    if not isinstance(text, str):
        raise bad_request("can't parse inline keyboard button: Can't find field \"text\"")
    if not text.strip():
        raise bad_request("inline keyboard button text must be non-empty")
    if "url" in button:
        return {"text": text, "url": _url(button["url"])}
    if "callback_data" in button:
        data = button["callback_data"]
        if not isinstance(data, str) or not 1 <= len(data.encode()) <= BUTTON_BYTES:
            raise bad_request("BUTTON_DATA_INVALID")
        return {"text": text, "callback_data": data}
    if "copy_text" in button:
        return {"text": text, "copy_text": {"text": _copy(button["copy_text"])}}
    if any(kind in button for kind in _OTHER_KINDS):
        return dict(button)
    raise bad_request("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")


def _copy(value: Any) -> str:
    text = value.get("text") if isinstance(value, dict) else None
    if not isinstance(text, str) or not 1 <= len(text) <= COPY_LIMIT:
        raise bad_request("BUTTON_COPY_TEXT_INVALID")
    return text


def _url(value: Any) -> str:
    def wrong(reason: str) -> ApiError:
        return bad_request(f"inline keyboard button URL '{value}' is invalid: {reason}")

    if not isinstance(value, str) or not value.strip():
        raise wrong("URL must be non-empty")
    if value.startswith("tg://"):
        return value
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host = parts.hostname or ""
    except ValueError:
        raise wrong("Wrong HTTP URL") from None
    if parts.scheme not in ("http", "https") or any(c.isspace() for c in value):
        raise wrong("Wrong HTTP URL")
    if "." not in host:
        raise wrong("Wrong HTTP URL")
    return value
