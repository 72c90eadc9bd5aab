"""The wire: parameters from a query, JSON, a form or a multipart body, as loosely typed as Telegram takes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

from viralcore.sandbox.telegram.errors import ApiError, bad_request

MAX_BODY = 50 * 1024 * 1024
_DISPOSITION = re.compile(rb'([a-zA-Z*]+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a multipart body."""

    name: str
    data: bytes


@dataclass(slots=True)
class Params:
    """Parameters of one call. A form carries everything as text, JSON carries types: both are accepted everywhere."""

    values: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Upload] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            return int(str(value))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        return self.text(name).lower() in ("true", "1", "yes", "y", "t")

    def nested(self, name: str) -> Any:
        """A JSON-serialised parameter: an object in JSON bodies, its text in forms. None when absent."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def upload(self, name: str) -> Upload | str | None:
        """A file: uploaded under `name`, attached (``attach://part``), or a file_id or URL as text."""
        if name in self.files:
            return self.files[name]
        return self.attached(self.text(name)) if name in self.values else None

    def attached(self, reference: str) -> Upload | str:
        """What ``attach://part`` names; any other text is returned as it is."""
        if not reference.startswith("attach://"):
            return reference
        found = self.files.get(reference.removeprefix("attach://"))
        if found is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        return found


async def read_params(request: Request) -> Params:
    """Read a request's parameters. Raises ApiError on a body Telegram would not read."""
    params = Params(dict(request.query_params))
    if request.method == "GET":
        return params
    body = await request.body()
    if len(body) > MAX_BODY:
        raise ApiError(413, "Request Entity Too Large")
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        params.values.update(_json(body))
    elif kind.startswith("multipart/form-data"):
        _multipart(kind, body, params)
    elif body:
        params.values.update(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    return params


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise bad_request("can't parse JSON object")
    return value


def _multipart(kind: str, body: bytes, params: Params) -> None:
    match = re.search(r'boundary="?([^";]+)"?', kind)
    if match is None:
        raise bad_request("boundary not found")
    mark = b"--" + match.group(1).encode()
    for part in (b"\r\n" + body).split(b"\r\n" + mark)[1:]:
        if part.startswith(b"--"):
            return
        head, gap, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        disposition = dict(_DISPOSITION.findall(head))
        name = disposition.get(b"name")
        if not gap or name is None:
            raise bad_request("can't parse multipart body")
        if b"filename" in disposition:
            file_name = disposition[b"filename"].decode(errors="replace")
            params.files[name.decode(errors="replace")] = Upload(file_name, data)
        else:
            params.values[name.decode(errors="replace")] = data.decode(errors="replace")
