"""Methods that make, change and remove messages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from viralcore.sandbox.telegram.errors import ApiError, bad_request, forbidden
from viralcore.sandbox.telegram.keyboards import inline, read_markup
from viralcore.sandbox.telegram.markup import Entity, found_entities, parse_html, trim, utf16
from viralcore.sandbox.telegram.model import Document, Message, Photo, Topic
from viralcore.sandbox.telegram.state import Telegram
from viralcore.sandbox.telegram.wire import Params, Upload

TEXT_LIMIT, CAPTION_LIMIT = 4096, 1024
TOPIC_NAME, ICON_COLOR = 128, 0x6FB9F0
DELETE_WITHIN = timedelta(hours=48)
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
_BAD_FILE = "wrong file identifier/HTTP URL specified"


@dataclass(frozen=True, slots=True)
class _Words:
    text: str
    entities: list[Entity]


class Sending:
    """Each public method answers one Bot API method and returns its result."""

    def __init__(self, telegram: Telegram) -> None:
        self._tg = telegram

    def send_message(self, params: Params) -> dict[str, Any]:
        chat_id = self.writable_chat(params)
        words = self._text(params)
        markup = read_markup(params.nested("reply_markup"))
        return self._create(params, chat_id, words, None, markup)

    def send_photo(self, params: Params) -> dict[str, Any]:
        chat_id = self.writable_chat(params)
        words = self._caption(params)
        markup = read_markup(params.nested("reply_markup"))
        photo = self._photo(params.upload("photo"))
        return self._create(params, chat_id, words, photo, markup)

    def send_document(self, params: Params) -> dict[str, Any]:
        """Files are uploaded here; sending one again by its id is not simulated."""
        chat_id = self.writable_chat(params)
        words = self._caption(params)
        markup = read_markup(params.nested("reply_markup"))
        given = params.upload("document")
        if not isinstance(given, Upload):
            raise bad_request(_BAD_FILE if given else "there is no document in the request")
        document = self._tg.keep_document(given.name, given.data)
        return self._create(params, chat_id, words, None, markup, document)

    def edit_text(self, params: Params) -> dict[str, Any]:
        message = self._own_message(params)
        words = self._text(params)
        markup = inline(read_markup(params.nested("reply_markup")))
        if message.photo is not None or message.document is not None:
            raise bad_request("there is no text in the message to edit")
        return self._change(message, words, None, markup)

    def edit_caption(self, params: Params) -> dict[str, Any]:
        message = self._own_message(params)
        words = self._caption(params)
        markup = inline(read_markup(params.nested("reply_markup")))
        if message.photo is None:
            raise bad_request("there is no caption in the message to edit")
        return self._change(message, words, message.photo, markup)

    def edit_media(self, params: Params) -> dict[str, Any]:
        message = self._own_message(params)
        media = params.nested("media")
        if not isinstance(media, dict):
            raise bad_request("media is empty")
        if media.get("type") != "photo":
            raise bad_request("unsupported media type")
        words = self._caption(Params(dict(media)))
        markup = inline(read_markup(params.nested("reply_markup")))
        photo = self._photo(params.attached(str(media.get("media") or "")))
        return self._change(message, words, photo, markup)

    def edit_markup(self, params: Params) -> dict[str, Any]:
        message = self._own_message(params)
        markup = inline(read_markup(params.nested("reply_markup")))
        return self._change(message, _Words(message.text, message.entities), message.photo, markup)

    def delete(self, params: Params) -> bool:
        chat_id = self.known_chat(params)
        message = self._tg.message(chat_id, params.integer("message_id"))
        if message is None:
            raise bad_request("message to delete not found")
        if self._tg.now() - message.date > DELETE_WITHIN:
            raise bad_request("message can't be deleted for everyone")
        if chat_id < 0 and message.sender != self._tg.bot.id and self._tg.groups[chat_id].bot != "administrator":
            raise bad_request("message can't be deleted")
        self._tg.delete(message)
        return True

    def delete_many(self, params: Params) -> bool:
        wanted = params.nested("message_ids")
        if not isinstance(wanted, list) or not 1 <= len(wanted) <= 100:
            raise bad_request("message identifiers are not specified")
        for message_id in wanted:
            if self._tg.message(self.known_chat(params), int(message_id)) is not None:
                self.delete(Params({"chat_id": params.values["chat_id"], "message_id": message_id}))
        return True

    def known_chat(self, params: Params) -> int:
        """The chat named, if the bot may know it. Raises ApiError 400."""
        given = params.text("chat_id")
        if not given:
            raise bad_request("chat_id is empty")
        try:
            chat_id = int(given)
        except ValueError:
            raise bad_request("chat not found") from None
        if chat_id not in self._tg.people and chat_id not in self._tg.groups:
            raise bad_request("chat not found")
        return chat_id

    def writable_chat(self, params: Params) -> int:
        """The chat named, if the bot may write to it. Raises ApiError 400 or 403."""
        chat_id = self.known_chat(params)
        if chat_id > 0:
            person = self._tg.people[chat_id]
            if person.blocked:
                raise forbidden("bot was blocked by the user")
            if not person.started:
                raise forbidden("bot can't initiate conversation with a user")
            return chat_id
        group = self._tg.groups[chat_id]
        if group.moved_to is not None:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, words, migrate_to_chat_id=group.moved_to)
        if group.bot == "kicked":
            raise forbidden(f"bot was kicked from the {group.kind} chat")
        if group.bot == "left":
            raise forbidden(f"bot is not a member of the {group.kind} chat")
        return chat_id

    def _own_message(self, params: Params) -> Message:
        chat_id = self.writable_chat(params)
        message = self._tg.message(chat_id, params.integer("message_id"))
        if message is None:
            raise bad_request("message to edit not found")
        if message.sender != self._tg.bot.id:
            raise bad_request("message can't be edited")
        return message

    def _create(
        self,
        params: Params,
        chat_id: int,
        words: _Words,
        photo: Photo | None,
        markup: dict[str, Any] | None,
        document: Document | None = None,
    ) -> dict[str, Any]:
        thread_id = self._thread(params, chat_id)
        reply_to = self._reply_to(params, chat_id)
        self._tg.limits.admit(chat_id, created=True)
        message = self._tg.add(
            chat_id,
            self._tg.bot.id,
            text=words.text,
            entities=words.entities,
            photo=photo,
            document=document,
            markup=markup,
            reply_to=reply_to,
            thread_id=thread_id,
        )
        return self._tg.wire(message)

    def _change(
        self, message: Message, words: _Words, photo: Photo | None, markup: dict[str, Any] | None
    ) -> dict[str, Any]:
        same_photo = (message.photo and message.photo.unique_id) == (photo and photo.unique_id)
        if (message.text, message.entities, message.markup) == (words.text, words.entities, markup) and same_photo:
            raise bad_request(_NOT_MODIFIED)
        self._tg.limits.admit(message.chat_id, created=False)
        message.text, message.entities, message.photo, message.markup = words.text, words.entities, photo, markup
        self._tg.edited(message)
        return self._tg.wire(message)

    def create_topic(self, params: Params) -> dict[str, Any]:
        """createForumTopic. Its service message is the bot's own, which no bot is told of."""
        chat_id = self.writable_chat(params)
        group = self._tg.groups.get(chat_id)
        if group is None or not group.forum:
            raise bad_request("the chat is not a forum")
        if group.bot != "administrator" or not group.manages_topics:
            raise bad_request("not enough rights to create a topic")
        name = " ".join(params.text("name").split())[:TOPIC_NAME]
        if not name:
            raise bad_request("title must be non-empty")
        self._tg.limits.admit(chat_id, created=True)
        shown = {"name": name, "icon_color": ICON_COLOR}
        began = self._tg.add(chat_id, self._tg.bot.id, note={"forum_topic_created": shown})
        began.thread_id = began.message_id
        group.topics[began.message_id] = Topic(began.message_id, name)
        return {"message_thread_id": began.message_id, **shown}

    def _thread(self, params: Params, chat_id: int) -> int | None:
        """The topic a message is for. Raises ApiError 400; General has no number for those who send."""
        thread_id = params.integer("message_thread_id")
        if not thread_id:
            return None
        group = self._tg.groups.get(chat_id)
        topic = group.topics.get(thread_id) if group is not None and group.forum else None
        if group is None or topic is None:
            raise bad_request("message thread not found")
        if topic.closed and not (group.bot == "administrator" and group.manages_topics):
            raise bad_request("TOPIC_CLOSED")
        return thread_id

    def _reply_to(self, params: Params, chat_id: int) -> int | None:
        reply = params.nested("reply_parameters")
        wanted = reply.get("message_id") if isinstance(reply, dict) else params.integer("reply_to_message_id") or None
        if wanted is None or self._tg.message(chat_id, int(wanted)) is not None:
            return int(wanted) if wanted is not None else None
        lenient = params.flag("allow_sending_without_reply") or (
            isinstance(reply, dict) and bool(reply.get("allow_sending_without_reply"))
        )
        if lenient:
            return None
        raise bad_request("message to be replied not found")

    def _text(self, params: Params) -> _Words:
        words = _read_words(params, "text", "entities")
        if not words.text:
            raise bad_request("message text is empty")
        if utf16(words.text) > TEXT_LIMIT:
            raise bad_request("message is too long")
        return words

    def _caption(self, params: Params) -> _Words:
        words = _read_words(params, "caption", "caption_entities")
        if utf16(words.text) > CAPTION_LIMIT:
            raise bad_request("message caption is too long")
        return words

    def _photo(self, given: Upload | str | None) -> Photo:
        if isinstance(given, Upload):
            return self._tg.keep_photo(given.data)
        if not given:
            raise bad_request("there is no photo in the request")
        if given.startswith(("http://", "https://")):
            raise bad_request("failed to get HTTP URL content")
        photo = self._tg.photos.get(given)
        if photo is None or given == photo.unique_id:
            raise bad_request(_BAD_FILE)
        return photo


def _read_words(params: Params, text: str, entities: str) -> _Words:
    """A text with its markup read. Raises ApiError 400."""
    source = params.text(text)
    mode = params.text("parse_mode").lower()
    if mode == "html":
        words, marked = parse_html(source)
    elif mode:
        raise ApiError(400, "Bad Request: unsupported parse_mode")
    else:
        given = params.nested(entities) or []
        if not isinstance(given, list):
            raise bad_request("can't parse entities JSON object")
        words, marked = trim(source, [dict(entity) for entity in given])
    found = [*marked, *found_entities(words, marked)]
    return _Words(words, sorted(found, key=lambda entity: (entity["offset"], -entity["length"])))
