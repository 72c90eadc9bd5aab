"""The page: its files, and the feed that keeps it live. What it does to the world goes through the control API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from viralcore.core.clock import monotonic
from viralcore.sandbox.stage import Stage
from viralcore.sandbox.telegram.model import Message

FOLDER = Path(__file__).with_name("page")
FILES = {
    "index.html": "text/html",
    "page.css": "text/css",
    "world.css": "text/css",
    "dom.js": "text/javascript",
    "message.js": "text/javascript",
    "composer.js": "text/javascript",
    "chats.js": "text/javascript",
    "guide.js": "text/javascript",
    "networks.js": "text/javascript",
    "pay.js": "text/javascript",
    "bank.js": "text/javascript",
    "payouts.js": "text/javascript",
    "world.js": "text/javascript",
    "main.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
LONGEST_WAIT = 25.0
_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'self'; img-src 'self' data: blob:; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def page_routes(stage: Stage) -> list[BaseRoute]:
    """GET / and what the page asks for."""
    page = Page(stage)
    return [
        Route("/", page.index, methods=["GET"]),
        Route("/page/feed", page.feed, methods=["GET"]),
        Route("/page/world", page.world, methods=["GET"]),
        Route("/page/{name}", page.file, methods=["GET"]),
        Route("/favicon.ico", page.icon, methods=["GET"]),
    ]


class Page:
    """Serves the files and the feed."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._tg = stage.telegram

    async def index(self, _: Request) -> Response:
        return _send("index.html")

    async def icon(self, _: Request) -> Response:
        return _send("icon.svg")

    async def file(self, request: Request) -> Response:
        name = request.path_params["name"]
        return _send(name) if name in FILES else JSONResponse({"error": "no such file"}, status_code=404)

    async def feed(self, request: Request) -> Response:
        """What changed after `after`: messages of all chats (deleted ones are said to be), people, groups."""
        try:
            after = int(request.query_params.get("after") or 0)
            wait = min(float(request.query_params.get("wait") or 0), LONGEST_WAIT)
        except ValueError:
            return JSONResponse({"error": "after and wait are numbers"}, status_code=400)
        deadline = monotonic() + (wait if after <= self._tg.version else 0.0)  # else it knew an earlier sandbox
        while self._tg.version <= after and (left := deadline - monotonic()) > 0:
            await self._tg.changed.wait(left)
        machine = self._tg.machine()
        return JSONResponse(
            {
                "seq": self._tg.version,
                "bot": {
                    **self._tg.bot.user(),
                    "commands": self._tg.bot.commands,
                    "private_commands": self._tg.bot.private_commands,
                    "texts": self._tg.bot.texts,
                },
                "people": [
                    {**person.user(), "started": person.started, "blocked": person.blocked}
                    for person in self._tg.people.values()
                ],
                "groups": [
                    {**group.chat(), "members": sorted(group.members), "bot": group.bot}
                    for group in self._tg.groups.values()
                ],
                "messages": [self._shown(message) for message in self._tg.all_messages(after)],
                "typing": {str(chat): until - machine for chat, until in self._tg.actions.items() if until > machine},
            }
        )

    async def world(self, _: Request) -> Response:
        """The right-hand panel."""
        bot = self._stage.bot
        return JSONResponse(
            {
                **self._stage.snapshot(),
                "now": self._stage.clock.now().isoformat(),
                "ahead": self._stage.clock.offset(),
                "turning": self._stage.quiet.turning,
                "caption": self._stage.caption,
                "bot": {"pid": bot.pid, "starts": bot.starts},
                "telegram": {
                    "unconfirmed": self._tg.updates.unconfirmed,
                    "refused": self._tg.limits.refused,
                    "worst_second": self._tg.limits.worst_second,
                },
            }
        )

    def _shown(self, message: Message) -> dict[str, Any]:
        if message.deleted:
            return {"chat_id": message.chat_id, "message_id": message.message_id, "deleted": True}
        shown = message.control(self._tg.topic_name(message))
        del shown["html"]
        return {
            **shown,
            "chat_id": message.chat_id,
            "entities": message.entities,
            "reply_to": message.reply_to,
            "size": [message.photo.width, message.photo.height] if message.photo else None,
            "note": _note(message),
        }


def _note(message: Message) -> str | None:
    """What a service message says."""
    told = message.note or {}
    if "new_chat_title" in told:
        return f"The group is called {told['new_chat_title']} now"
    if "migrate_to_chat_id" in told:
        return "The group became a supergroup: it goes on in a chat of its own"
    if "forum_topic_created" in told:
        return f"A topic was made: {told['forum_topic_created']['name']}"
    if "migrate_from_chat_id" in told:
        return "The group became a supergroup"
    return "The bot was added to this group" if told else None


def _send(name: str) -> Response:
    return FileResponse(FOLDER / name, media_type=FILES[name], headers=_HEADERS)
