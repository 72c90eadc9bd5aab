"""The methods of the Bot API that this Telegram knows. Names are matched as Telegram does: in any letter case."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from viralcore.sandbox.telegram.errors import bad_request
from viralcore.sandbox.telegram.sending import Sending
from viralcore.sandbox.telegram.state import Telegram
from viralcore.sandbox.telegram.wire import Params

Method = Callable[[Params], Any]
AsyncMethod = Callable[[Params], Awaitable[Any]]
QUERY_SECONDS, ANSWER_LIMIT, TYPING_SECONDS = 60.0, 200, 5.0
_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
_ACTIONS = {
    "typing",
    "upload_photo",
    "upload_document",
    "upload_video",
    "record_video",
    "choose_sticker",
    "find_location",
}
SHOWING = frozenset(
    {"sendmessage", "sendphoto", "senddocument", "editmessagetext", "editmessagecaption", "editmessagemedia"}
    | {"editmessagereplymarkup", "createforumtopic"}
)
"""Methods that create or edit a message: the ones floods and faults befall."""


class Methods:
    """Finds and runs a method by name."""

    def __init__(self, telegram: Telegram) -> None:
        self._tg = telegram
        sending = self._sending = Sending(telegram)
        self._table: dict[str, Method] = {
            "getme": lambda _: {
                **telegram.bot.user(),
                "can_join_groups": True,
                "can_read_all_group_messages": True,
                "supports_inline_queries": False,
                "can_connect_to_business": False,
                "has_main_web_app": False,
            },
            "sendmessage": sending.send_message,
            "sendphoto": sending.send_photo,
            "senddocument": sending.send_document,
            "editmessagetext": sending.edit_text,
            "editmessagecaption": sending.edit_caption,
            "editmessagemedia": sending.edit_media,
            "editmessagereplymarkup": sending.edit_markup,
            "createforumtopic": sending.create_topic,
            "deletemessage": sending.delete,
            "deletemessages": sending.delete_many,
            "answercallbackquery": self._answer_callback,
            "sendchataction": self._chat_action,
            "getfile": self._get_file,
            "getchat": self._get_chat,
            "getchatmember": self._get_chat_member,
            "getchatadministrators": self._get_administrators,
            "getchatmembercount": self._count_members,
            "leavechat": self._leave_chat,
            "setmycommands": self._set_commands,
            "getmycommands": self._get_commands,
            "deletemycommands": self._delete_commands,
            "getwebhookinfo": lambda _: telegram.updates.webhook_info(),
            "setwebhook": self._set_webhook,
            "deletewebhook": self._delete_webhook,
            "logout": lambda _: True,
            "close": lambda _: True,
        }
        for name in ("name", "description", "shortdescription"):
            self._table[f"setmy{name}"] = self._set_text(name)
        self._table["setchatmenubutton"] = lambda _: True

    def find(self, name: str) -> Method | None:
        return self._table.get(name.lower())

    async def get_updates(self, params: Params) -> list[dict[str, Any]]:
        """The long poll, the one method that waits."""
        allowed = params.nested("allowed_updates")
        if allowed is not None and not isinstance(allowed, list):
            raise bad_request("can't parse allowed_updates: expected Array of String")
        self._tg.updates.allow(allowed)
        return await self._tg.updates.poll(
            offset=params.integer("offset"), limit=params.integer("limit", 100), seconds=params.integer("timeout")
        )

    def _answer_callback(self, params: Params) -> bool:
        query = self._tg.queries.get(params.text("callback_query_id"))
        if query is None or query.answer is not None:
            raise bad_request(_TOO_OLD)
        if self._tg.machine() - query.at > QUERY_SECONDS:
            query.late = True
            raise bad_request(_TOO_OLD)
        text = params.text("text")
        if len(text) > ANSWER_LIMIT:
            raise bad_request("MESSAGE_TOO_LONG")
        query.answer = {"text": text, "alert": params.flag("show_alert")}
        query.answered.set()
        return True

    def _chat_action(self, params: Params) -> bool:
        chat_id = self._sending.writable_chat(params)
        if params.text("action") not in _ACTIONS:
            raise bad_request("wrong parameter action in request")
        self._tg.actions[chat_id] = self._tg.machine() + TYPING_SECONDS
        self._tg.touch()
        return True

    def _get_file(self, params: Params) -> dict[str, Any]:
        photo = self._tg.photos.get(params.text("file_id"))
        if photo is None or params.text("file_id") == photo.unique_id:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        extension = photo.media_type.rpartition("/")[2].replace("jpeg", "jpg")
        return {
            "file_id": params.text("file_id"),
            "file_unique_id": photo.unique_id,
            "file_size": len(photo.data),
            "file_path": f"photos/{photo.unique_id}.{extension}",
        }

    def _get_chat(self, params: Params) -> dict[str, Any]:
        chat_id = self._sending.known_chat(params)
        return {**self._tg.chat(chat_id), "accent_color_id": 0, "max_reaction_count": 11}

    def _get_chat_member(self, params: Params) -> dict[str, Any]:
        chat_id = self._sending.known_chat(params)
        user_id = params.integer("user_id")
        if user_id == self._tg.bot.id:
            status = self._tg.groups[chat_id].bot if chat_id < 0 else "member"
            return {"user": self._tg.bot.user(), "status": status}
        person = self._tg.people.get(user_id)
        if person is None:
            raise bad_request("user not found")
        inside = user_id in self._tg.groups[chat_id].members if chat_id < 0 else user_id == chat_id
        return {"user": person.user(), "status": "member" if inside else "left"}

    def _get_administrators(self, params: Params) -> list[dict[str, Any]]:
        chat_id = self._sending.known_chat(params)
        if chat_id > 0:
            raise bad_request("there are no administrators in the private chat")
        members = self._tg.groups[chat_id].members
        owner = self._tg.people[min(members)]
        return [{"user": owner.user(), "status": "creator", "is_anonymous": False}]

    def _count_members(self, params: Params) -> int:
        chat_id = self._sending.known_chat(params)
        return 2 if chat_id > 0 else len(self._tg.groups[chat_id].members) + 1

    def _leave_chat(self, params: Params) -> bool:
        chat_id = self._sending.known_chat(params)
        if chat_id > 0:
            raise bad_request("chat member status can't be changed in private chats")
        self._tg.groups[chat_id].bot = "left"
        self._tg.touch()
        return True

    def _set_commands(self, params: Params) -> bool:
        commands = params.nested("commands")
        if not isinstance(commands, list) or len(commands) > 100:
            raise bad_request("can't parse commands list")
        for item in commands:
            name = item.get("command", "").removeprefix("/") if isinstance(item, dict) else ""
            if not 1 <= len(name) <= 32 or not name.replace("_", "a").isalnum() or name != name.lower():
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(str(item.get("description", ""))) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self._keep_commands(params, commands)
        return True

    def _delete_commands(self, params: Params) -> bool:
        self._keep_commands(params, [])
        return True

    def _keep_commands(self, params: Params, commands: list[dict[str, str]]) -> None:
        """Kept for two scopes, everybody and private chats, in no particular language."""
        if params.text("language_code"):
            return
        scope = (params.nested("scope") or {"type": "default"}).get("type")
        if scope == "default":
            self._tg.bot.commands = commands
        elif scope == "all_private_chats":
            self._tg.bot.private_commands = commands
        self._tg.touch()

    def _get_commands(self, params: Params) -> list[dict[str, str]]:
        scope = str((params.nested("scope") or {"type": "default"}).get("type"))
        return {"default": self._tg.bot.commands, "all_private_chats": self._tg.bot.private_commands}.get(scope, [])

    def _set_text(self, name: str) -> Method:
        def remember(params: Params) -> bool:
            self._tg.bot.texts[name] = next(iter(params.values.values()), "")
            return True

        return remember

    def _set_webhook(self, params: Params) -> bool:
        if params.flag("drop_pending_updates"):
            self._tg.updates.drop()
        self._tg.updates.allow(params.nested("allowed_updates"))
        if params.text("url"):
            self._tg.updates.set_webhook(params.text("url"), params.text("secret_token"))
        else:
            self._tg.updates.delete_webhook()
        return True

    def _delete_webhook(self, params: Params) -> bool:
        if params.flag("drop_pending_updates"):
            self._tg.updates.drop()
        self._tg.updates.delete_webhook()
        return True
