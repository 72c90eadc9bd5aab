"""Reading control calls: strict bodies, refusals in plain words, exact decimals."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from viralcore.core.money import parse_decimal

MAX_BODY = 65_536


class NonsenseError(Exception):
    """A control call that makes no sense; the text goes back as ``{"error": ...}``."""

    def __init__(self, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.words = words
        self.status = status


class Body(BaseModel):
    """Base of control bodies: unknown fields and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


B = TypeVar("B", bound=Body)


def _amount(value: object) -> object:
    """Decimal text, or a JSON number read exactly. Never negative."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError("must be a decimal string")
    number = parse_decimal(value if isinstance(value, str) else f"{Decimal(value):f}")
    if number < 0:
        raise ValueError("must not be negative")
    return number


Amount = Annotated[Decimal, BeforeValidator(_amount)]


def choice(*kinds: str, yes: str) -> BeforeValidator:
    """A switch with kinds: false and null mean "" (off), true means `yes`, otherwise one of `kinds`."""

    def read(value: object) -> object:
        if value is None or value is False or value == "":
            return ""
        if value is True:
            return yes
        if value in kinds:
            return value
        raise ValueError(f"must be true, false or one of: {', '.join(kinds)}")

    return BeforeValidator(read)


def swallow(value: object) -> object:
    """Answers to lose: true is 1; a number is that many; "hang" is one that keeps the line open first."""
    if value is None or value is False:
        return 0
    if value is True:
        return 1
    if value == "hang":
        return -1
    if isinstance(value, int) and 0 <= value <= 1000:
        return value
    raise ValueError('must be true, false, a number up to 1000 or "hang"')


async def read(request: Request, model: type[B], most: int = MAX_BODY) -> B:
    """The call's JSON body as `model`, of at most `most` bytes. Raises NonsenseError."""
    raw = await request.body()
    if len(raw) > most:
        raise NonsenseError("the body is too large", 413)
    try:
        data: Any = json.loads(raw or b"{}", parse_float=Decimal)
    except ValueError as error:
        raise NonsenseError("the body is not valid JSON") from error
    if not isinstance(data, dict):
        raise NonsenseError("the body must be a JSON object")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise NonsenseError("; ".join(_words(problem) for problem in error.errors()[:5])) from error


def _words(problem: Any) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown field {where}"
    if problem["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {problem['msg'].removeprefix('Value error, ')}"


def control(path: str, method: str, handle: Callable[[Request], Awaitable[Any]]) -> Route:
    """A control route: what `handle` returns goes out as JSON; NonsenseError becomes a 4xx with ``error``."""

    async def endpoint(request: Request) -> Response:
        try:
            return JSONResponse(await handle(request))
        except NonsenseError as refusal:
            return JSONResponse({"error": refusal.words}, status_code=refusal.status)

    return Route(path, endpoint, methods=[method])
