"""The control API of the sandbox itself: people, chats, the clock, the bot. Worlds add their own routes beside it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from urllib.parse import quote

import structlog
from pydantic import Field, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from viralcore.core.clock import monotonic
from viralcore.sandbox.ordeals import ordeal_routes
from viralcore.sandbox.quiet import Turned
from viralcore.sandbox.stage import ADMIN_GROUP, LIKES_GROUP, OWNER_ID, SECOND_ADMIN_ID, Stage
from viralcore.sandbox.telegram.errors import ApiError
from viralcore.sandbox.telegram.inbound import find_button
from viralcore.sandbox.telegram.model import Group, Message, Person
from viralcore.sandbox.worlds.control import Body, NonsenseError, control, read

log = structlog.get_logger(__name__)

ANSWER_SECONDS, REBIRTH_SECONDS, LONGEST_WAIT, LONGEST_SETTLE = 6.0, 40.0, 50.0, 300.0
LONGEST_TURN = 400 * 86_400
PHOTO_BODY = 15 * 1024 * 1024

Id = Annotated[int, Field(gt=0, lt=2**52)]
Name = Annotated[str, Field(min_length=1, max_length=64)]


class UserBody(Body):
    id: Id
    first_name: Name
    username: Annotated[str, Field(pattern=r"^@?[A-Za-z0-9_]{1,32}$|^$")] | None = None
    language_code: Annotated[str, Field(max_length=10)] | None = None


class GroupBody(Body):
    id: Annotated[int, Field(lt=0, gt=-(2**52))]
    title: Annotated[str, Field(min_length=1, max_length=128)]
    members: Annotated[list[Id], Field(min_length=1, max_length=200)]


class MessageBody(Body):
    from_id: Id
    text: str | None = None
    photo_base64: str | None = None
    reply_to: int | None = None
    edit: int | None = None


class PressBody(Body):
    from_id: Id
    message_id: int
    button: Annotated[str, Field(min_length=1)]


class Flood(Body):
    count: Annotated[int, Field(ge=0, le=1000)] = 1
    seconds: Annotated[int, Field(ge=1, le=600)] = 1


class Failure(Body):
    count: Annotated[int, Field(ge=0, le=1000)] = 1
    how: Literal["error", "drop", "lose_answer", "bad_json"] = "error"


Count = Annotated[int, Field(ge=0, le=1000)]


class Migration(Body):
    """`to`: the id of the supergroup it becomes."""

    id: int
    to: int | None = None


class Forum(Body):
    """`on`: the group has topics. `manage_topics`: the bot's right to make them; absent: as it was."""

    id: int
    on: bool = True
    manage_topics: bool | None = None


class TopicChange(Body):
    """`topic`: its name or number."""

    id: int
    topic: Annotated[str, Field(min_length=1, max_length=128)]
    closed: bool | None = None
    deleted: bool = False


class TelegramBody(Body):
    flood_next: bool | Count | Flood | None = None
    fail_next: bool | Count | Failure | None = None
    fail_polls: Count | None = None
    block_user: Id | None = None
    unblock_user: Id | None = None
    kick_bot: int | None = None
    migrate_group: int | Migration | None = None
    forum: int | Forum | None = None
    topic: TopicChange | None = None

    @model_validator(mode="after")
    def _something(self) -> TelegramBody:
        if not self.model_fields_set:
            raise ValueError(
                "say what: flood_next, fail_next, fail_polls, block_user, unblock_user, kick_bot, migrate_group, "
                "forum or topic"
            )
        return self


class BotBody(Body):
    """`wait` false: answer at once, so that it can be killed again while it starts."""

    kill: Literal[True]
    wait: bool = True


class TurnBody(Body):
    """`wait` false: one leap, and nobody waits for what it brings."""

    wait: bool = True
    advance_seconds: Annotated[float, Field(ge=0, le=LONGEST_TURN, allow_inf_nan=False, strict=False)]


class SettleBody(Body):
    timeout_seconds: Annotated[float, Field(ge=0, le=LONGEST_SETTLE, allow_inf_nan=False, strict=False)] = 30.0


def control_routes(stage: Stage) -> list[BaseRoute]:
    """All routes under /sandbox, the worlds' included; anything else there is 404 with an error."""
    calls = Control(stage)
    routes: list[Route] = [
        control("/check", "GET", calls.check),
        control("/users", "POST", calls.user),
        control("/groups", "POST", calls.group),
        Route("/chats/{chat_id}/messages", _guard(calls.post), methods=["POST"]),
        control("/chats/{chat_id}/messages", "GET", calls.messages),
        control("/chats/{chat_id}/press", "POST", calls.press),
        Route("/photos/{photo}", calls.photo, methods=["GET"]),
        Route("/documents/{document}", calls.document, methods=["GET"]),
        control("/telegram", "POST", calls.faults),
        control("/outbox", "GET", calls.outbox),
        control("/bot", "POST", calls.bot),
        control("/clock", "GET", calls.clock),
        control("/clock", "POST", calls.turn),
        control("/settle", "POST", calls.settle),
        *ordeal_routes(stage),
    ]
    for world in stage.worlds:
        routes += world.control_routes()
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    rest = Route("/{rest:path}", _nothing, methods=methods)
    return [control("/sandbox", "GET", calls.about), Mount("/sandbox", routes=[*routes, rest])]


class Control:
    """One method a call; each returns JSON or raises NonsenseError."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._tg = stage.telegram

    async def about(self, _: Request) -> dict[str, Any]:
        snapshot = self._stage.snapshot()
        bot = self._tg.bot
        return {
            "bot": {"id": bot.id, "username": bot.username, "pid": self._stage.bot.pid},
            "owner_id": OWNER_ID,
            "second_admin_id": SECOND_ADMIN_ID,
            "admin_group": ADMIN_GROUP,
            "likes_group": LIKES_GROUP,
            "addresses": snapshot.get("addresses", {}),
            "panels": sorted(snapshot.get("panels", {})),
            "now": self._now(),
        }

    async def check(self, _: Request) -> dict[str, Any]:
        try:
            problems = await self._stage.check()
        except Exception as error:
            log.exception("sandbox.check_failed")
            problems = [f"the books could not be read: {type(error).__name__}: {error}"[:300]]
        return {"balanced": not problems, "problems": problems}

    async def user(self, request: Request) -> dict[str, Any]:
        body = await read(request, UserBody)
        if body.id == self._tg.bot.id:
            raise NonsenseError("that is the bot's own id")
        person = self._stage.inbound.upsert_person(
            Person(body.id, body.first_name, (body.username or "").removeprefix("@"), body.language_code or "en")
        )
        return person.user()

    async def group(self, request: Request) -> dict[str, Any]:
        body = await read(request, GroupBody)
        strangers = [member for member in body.members if member not in self._tg.people]
        if strangers:
            raise NonsenseError(f"make these users first: {', '.join(map(str, strangers))}")
        group = self._stage.inbound.add_group(Group(body.id, body.title, set(body.members)))
        return {**group.chat(), "members": sorted(group.members)}

    async def post(self, request: Request) -> dict[str, Any]:
        chat_id = self._chat(request)
        body = await _read_large(request)
        photo = _photo(body.photo_base64) if body.photo_base64 is not None else None
        if body.edit is not None:
            message = self._stage.inbound.edit(chat_id, body.from_id, body.edit, body.text or "")
        else:
            message = self._stage.inbound.write(
                chat_id, body.from_id, text=body.text or "", photo=photo, reply_to=body.reply_to
            )
        return {"message_id": message.message_id}

    async def messages(self, request: Request) -> list[dict[str, Any]]:
        chat_id = self._chat(request)
        after = _number(request, "after", 0.0)
        deadline = monotonic() + min(_number(request, "wait", 0.0), LONGEST_WAIT)
        while True:
            found = [m for m in self._tg.messages(chat_id, int(after)) if not m.deleted and m.note is None]
            left = deadline - monotonic()
            if found or left <= 0:
                return [message.control(self._tg.topic_name(message)) for message in found]
            await self._tg.changed.wait(left)

    async def press(self, request: Request) -> dict[str, Any]:
        chat_id = self._chat(request)
        body = await read(request, PressBody)
        message = self._message(chat_id, body.message_id)
        button = find_button(message, body.button)
        if button is not None and button["data"] is None:
            return {"answer": None, "url": button["url"], "copy": button["copy"]}
        data = button["data"] if button is not None else body.button
        query = self._stage.inbound.press(chat_id, body.from_id, body.message_id, data)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(query.answered.wait(), ANSWER_SECONDS)
        return {"answer": query.answer}

    async def photo(self, request: Request) -> Response:
        wanted = request.path_params["photo"]
        photo = self._tg.photos.get(wanted)
        if photo is None or photo.unique_id != wanted:
            return JSONResponse({"error": "there is no such picture"}, status_code=404)
        headers = {"cache-control": "max-age=86400, immutable", "x-content-type-options": "nosniff"}
        return Response(photo.data, media_type=photo.media_type, headers=headers)

    async def document(self, request: Request) -> Response:
        found = self._tg.documents.get(request.path_params["document"])
        if found is None:
            return JSONResponse({"error": "there is no such file"}, status_code=404)
        headers = {
            "content-disposition": f"attachment; filename*=UTF-8''{quote(found.name)}",
            "x-content-type-options": "nosniff",
        }
        return Response(found.data, media_type="application/octet-stream", headers=headers)

    async def faults(self, request: Request) -> dict[str, Any]:
        body = await read(request, TelegramBody)
        faults = self._tg.faults
        if body.flood_next is not None:
            flood = body.flood_next if isinstance(body.flood_next, Flood) else Flood(count=int(body.flood_next))
            faults.flood, faults.flood_seconds = flood.count, flood.seconds
        if body.fail_next is not None:
            failure = body.fail_next if isinstance(body.fail_next, Failure) else Failure(count=int(body.fail_next))
            faults.fail, faults.how = failure.count, failure.how
        if body.fail_polls is not None:
            faults.polls = body.fail_polls
        if body.block_user is not None:
            self._stage.inbound.block(body.block_user, blocked=True)
        if body.unblock_user is not None:
            self._stage.inbound.block(body.unblock_user, blocked=False)
        if body.kick_bot is not None:
            if body.kick_bot not in self._tg.groups:
                raise NonsenseError(f"there is no group {body.kick_bot}", 404)
            self._stage.inbound.remove_bot(body.kick_bot, min(self._tg.groups[body.kick_bot].members))
        if body.migrate_group is not None:
            move = body.migrate_group if isinstance(body.migrate_group, Migration) else Migration(id=body.migrate_group)
            if move.id not in self._tg.groups:
                raise NonsenseError(f"there is no group {move.id}", 404)
            self._stage.inbound.migrate(move.id, move.to)
        self._forums(body)
        return {
            "flood_next": faults.flood,
            "fail_next": faults.fail,
            "fail_polls": faults.polls,
            "blocked": sorted(person.id for person in self._tg.people.values() if person.blocked),
        }

    def _forums(self, body: TelegramBody) -> None:
        for asked in (body.forum, body.topic):
            group_id = asked if isinstance(asked, int) or asked is None else asked.id
            if group_id is not None and group_id not in self._tg.groups:
                raise NonsenseError(f"there is no group {group_id}", 404)
        if body.forum is not None:
            forum = body.forum if isinstance(body.forum, Forum) else Forum(id=body.forum)
            self._stage.inbound.make_forum(forum.id, on=forum.on, manages=forum.manage_topics)
        if body.topic is not None:
            change = body.topic
            self._stage.inbound.change_topic(change.id, change.topic, closed=change.closed, deleted=change.deleted)

    async def outbox(self, _: Request) -> list[dict[str, Any]]:
        return self._stage.outbox

    async def bot(self, request: Request) -> dict[str, Any]:
        body = await read(request, BotBody)
        starts = self._stage.bot.starts
        killed = self._stage.bot.kill()
        if not body.wait:
            return {"killed": killed, "pid": None}
        deadline = monotonic() + REBIRTH_SECONDS
        while monotonic() < deadline:
            born = killed is None or self._stage.bot.starts > starts
            if born and await self._stage.bot.ready(deadline - monotonic()):
                return {"killed": killed, "pid": self._stage.bot.pid}
            await self._stage.bot.ready(0.05)
        raise NonsenseError("the bot did not come back: " + " / ".join(self._stage.bot.tail()[-3:]), 504)

    async def clock(self, _: Request) -> dict[str, Any]:
        return {"now": self._now()}

    async def turn(self, request: Request) -> dict[str, Any]:
        body = await read(request, TurnBody)
        if not body.wait:
            return _turned(await self._stage.quiet.leap(body.advance_seconds))
        if self._stage.quiet.turning:
            raise NonsenseError("the clock is being turned already", 409)
        return _turned(await self._stage.quiet.advance(body.advance_seconds))

    async def settle(self, request: Request) -> dict[str, Any]:
        body = await read(request, SettleBody)
        return _turned(await self._stage.quiet.settle(body.timeout_seconds))

    def _now(self) -> str:
        return self._stage.clock.now().isoformat()

    def _chat(self, request: Request) -> int:
        try:
            chat_id = int(request.path_params["chat_id"])
        except ValueError:
            raise NonsenseError("a chat id is a whole number") from None
        if chat_id not in self._tg.people and chat_id not in self._tg.groups:
            raise NonsenseError(f"there is no chat {chat_id}", 404)
        return chat_id

    def _message(self, chat_id: int, message_id: int) -> Message:
        message = self._tg.message(chat_id, message_id)
        if message is None:
            raise NonsenseError(f"there is no message {message_id} in chat {chat_id}", 404)
        return message


def _turned(turned: Turned) -> dict[str, Any]:
    return {"now": turned.now.isoformat(), "quiet": turned.quiet, "pending": turned.pending}


def _number(request: Request, name: str, default: float) -> float:
    text = request.query_params.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        raise NonsenseError(f"{name} is a number") from None
    if not 0 <= value < 2**53:
        raise NonsenseError(f"{name} is a number from 0 up")
    return value


async def _read_large(request: Request) -> MessageBody:
    """A message body may carry a picture, so it may be larger than other calls."""
    if int(request.headers.get("content-length", "0") or 0) > PHOTO_BODY:
        raise NonsenseError("the body is too large", 413)
    return await read(request, MessageBody, most=PHOTO_BODY)


def _photo(text: str) -> bytes:
    try:
        return base64.b64decode(text.partition(",")[2] if text.startswith("data:") else text, validate=True)
    except (binascii.Error, ValueError):
        raise NonsenseError("photo_base64 is not base64") from None


def _guard(handle: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
    """`control` for a call whose refusals may also come from Telegram itself (a picture it cannot read)."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await handle(request))
        except NonsenseError as refusal:
            return JSONResponse({"error": refusal.words}, status_code=refusal.status)
        except ApiError as refusal:
            return JSONResponse({"error": refusal.description}, status_code=400)

    return endpoint


async def _nothing(request: Request) -> Response:
    return JSONResponse({"error": f"there is no {request.method} {request.url.path}"}, status_code=404)
