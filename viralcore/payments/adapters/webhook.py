"""Flutterwave's way in: POST /webhooks/flutterwave. Nothing is kept of what is not signed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from pydantic import SecretStr
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from viralcore.core.clock import monotonic
from viralcore.core.http import parse_json
from viralcore.core.metrics import Metrics
from viralcore.core.providers.flutterwave import Hook, read_hook, signed

log = structlog.get_logger(__name__)

PATH = "/webhooks/flutterwave"
MAX_BODY = 256 * 1024
Accept = Callable[[Hook, str], Awaitable[None]]


class Webhook:
    """`accept`: makes it durable; only then it is confirmed. `secret` None: every one is refused."""

    def __init__(self, accept: Accept, *, secret: SecretStr | None, source: str, metrics: Metrics) -> None:
        self._accept = accept
        self._secret = secret
        self._source = source
        self._metrics = metrics
        self._told_at = -1.0
        self.route = Route(PATH, self._receive, methods=["POST"])

    async def _receive(self, request: Request) -> Response:
        raw = await _bounded(request)
        if raw is None:
            return JSONResponse({"error": "body too large"}, status_code=413)
        plain, digest = request.headers.get("verif-hash"), request.headers.get("flutterwave-signature")
        if not signed(raw, secret=self._secret, plain=plain, digest=digest):
            self._tell_of_forgery(request, plain is not None or digest is not None)
            return JSONResponse({"error": "the signature is wrong or missing"}, status_code=401)
        try:
            text = raw.decode()
            hook = read_hook(parse_json(text), raw)
        except ValueError:
            return JSONResponse({"error": "not JSON"}, status_code=400)
        try:
            await self._accept(hook, text)
        except Exception:
            log.exception("webhook_not_stored", source=self._source)
            return JSONResponse({"error": "try again"}, status_code=503)
        return JSONResponse({"ok": True})

    def _tell_of_forgery(self, request: Request, given: bool) -> None:
        """One line a second: whoever floods us must not fill the log as well. All of them are in the metrics."""
        self._metrics.updates.labels(source=self._source, outcome="forged").inc()
        now = monotonic()
        if now - self._told_at >= 1:
            self._told_at = now
            peer = request.client.host if request.client else ""
            log.warning(
                "webhook_forged",
                source=self._source,
                peer=peer,
                signature_given=given,
                secret_configured=self._secret is not None,
            )


async def _bounded(request: Request) -> bytes | None:
    """The body as it came; None when it is longer than any of theirs."""
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > MAX_BODY:
                return None
            parts.append(part)
    except ClientDisconnect:
        return b""
    return b"".join(parts)
