"""The HTTP face of the simulated Telegram: /bot<token>/<method> and /file/bot<token>/<path>."""

from __future__ import annotations

import re
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from viralcore.sandbox.telegram.errors import ApiError, not_found, too_many_requests, unauthorized
from viralcore.sandbox.telegram.methods import SHOWING, Methods
from viralcore.sandbox.telegram.state import Telegram
from viralcore.sandbox.telegram.wire import read_params
from viralcore.sandbox.worlds.faults import Wire, cut

_TOKEN = re.compile(r"^\d{1,20}:[A-Za-z0-9_-]{30,64}$")


class TelegramApp:
    """Serves one simulated Telegram."""

    def __init__(self, telegram: Telegram) -> None:
        self._tg = telegram
        self._methods = Methods(telegram)
        routes = [
            Route("/bot{token}/{method}", self._call, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self._file, methods=["GET"]),
        ]
        handlers = {404: self._nowhere, 405: self._nowhere}
        self.app: ASGIApp = Wire(Starlette(routes=routes, exception_handlers=handlers))

    async def _call(self, request: Request) -> Response:
        try:
            self._authorise(request.path_params["token"])
            return await self._answer(request, request.path_params["method"].lower())
        except ApiError as error:
            headers = {"Retry-After": str(error.parameters["retry_after"])} if error.code == 429 else None
            return JSONResponse(error.body(), status_code=error.code, headers=headers)

    async def _answer(self, request: Request, name: str) -> Response:
        params = await read_params(request)
        if name == "getupdates" and self._tg.faults.polls > 0:
            self._tg.faults.polls -= 1
            raise ApiError(502, "Bad Gateway")
        if name == "getupdates":
            return _ok(await self._methods.get_updates(params))
        method = self._methods.find(name)
        if method is None:
            raise not_found()
        how = self._fault() if name in SHOWING else ""
        if how == "error":
            raise ApiError(500, "Internal Server Error")
        if how == "drop":
            return await cut(request)
        answer = _ok(method(params))
        if how == "lose_answer":
            return await cut(request)
        if how == "bad_json":
            return Response('{"ok": tr', media_type="application/json")
        return answer

    def _fault(self) -> str:
        """Consume one ordered fault; raises 429, or returns how the call must go wrong."""
        faults = self._tg.faults
        if faults.flood > 0:
            faults.flood -= 1
            raise too_many_requests(faults.flood_seconds)
        if faults.fail > 0:
            faults.fail -= 1
            return faults.how
        return ""

    async def _file(self, request: Request) -> Response:
        try:
            self._authorise(request.path_params["token"])
            unique = request.path_params["path"].removeprefix("photos/").rpartition(".")[0]
            photo = self._tg.photos.get(unique)
            if photo is None or photo.unique_id != unique:
                raise not_found()
        except ApiError as error:
            return JSONResponse(error.body(), status_code=error.code)
        return Response(photo.data, media_type="application/octet-stream")

    def _authorise(self, token: str) -> None:
        if not _TOKEN.match(token):
            raise not_found()
        if token != self._tg.bot.token:
            raise unauthorized()

    async def _nowhere(self, _: Request, __: Exception) -> Response:
        return JSONResponse(not_found().body(), status_code=404)


def _ok(result: Any) -> Response:
    return JSONResponse({"ok": True, "result": result})
