"""One simulated Tron host: java-tron's calls under /wallet and /walletsolidity, TronGrid's lists under /v1."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import base58
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from viralcore.sandbox.worlds import tron_wire as wire
from viralcore.sandbox.worlds.chains import Block, ChainNode
from viralcore.sandbox.worlds.tron_chain import Log, Transaction, millis, word
from viralcore.sandbox.worlds.tron_raw import hex_of

PAGE, MOST = 20, 200
_BAD_HEX = (
    "class org.bouncycastle.util.encoders.DecoderException : "
    "exception decoding Hex string: invalid characters encountered in Hex string"
)
_RATE = "request rate exceeded the allowed_rps(3), and the query server is suspended for 1 s"
_FREQUENCY = "The key exceeds the frequency limit(15), and the query server is suspended for 30s"
_NOT_FOUND = """<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>
<title>Error 404 Not Found</title>
</head>
<body><h2>HTTP ERROR 404</h2></body>
</html>"""

LIMITS = ("rate_limit", "rate_limit_200", "suspended", "bad_key")
"""How TronGrid says no: to whoever has no key (under 429 or 200), to a key that asked too often, to a wrong one."""

Row = tuple[tuple[int, int, int, int], dict[str, Any]]
"""Where a row stands among all, and the row."""


class Node(ChainNode[Transaction]):
    """Answers requests. All nodes see one chain; each may lag behind it or lie about it."""

    def inflated(self, transaction: Transaction) -> Transaction:
        """It cannot find other bytes with the same hash; it hopes that nobody looks."""
        logs = tuple(
            Log(log.address, log.topics, word(int(log.data, 16) * 10)) if wire.is_transfer(log) else log
            for log in transaction.logs
        )
        return replace(transaction, raw=replace(transaction.raw, amount=transaction.raw.amount * 10), logs=logs)

    async def answer(self, request: Request) -> Response:
        """Any request to this host."""
        self.requests += 1
        path = request.url.path.strip("/")
        if self.faults.outage in LIMITS:
            return _refusal(self.faults.outage, lists=path.startswith("v1/"))
        group, _, name = path.partition("/")
        if group == "v1":
            return self._v1(name, request)
        calls: dict[str, Callable[[Mapping[str, Any], bool], Any]] = {
            "getnowblock": self._now_block,
            "getblockbynum": self._block_by_number,
            "gettransactionbyid": self._transaction,
            "gettransactioninfobyid": self._info,
        }
        if group not in {"wallet", "walletsolidity"} or name not in calls:
            return HTMLResponse(_NOT_FOUND, status_code=404)
        if request.method == "POST":
            try:
                asked = json.loads(await request.body() or b"{}")
            except ValueError as error:
                return JSONResponse({"Error": f"class com.alibaba.fastjson.JSONException : {error}"})
        else:
            asked = {**request.query_params, "visible": request.query_params.get("visible") == "true"}
        if not isinstance(asked, dict):
            asked = {}
        return JSONResponse(calls[name](asked, group == "walletsolidity"))

    # the node itself

    def _now_block(self, asked: Mapping[str, Any], solid: bool) -> Any:
        """Blocks that were put into the past are no heads."""
        self.chain.poll()
        number = self.final if solid else self.head
        block = self.visible(number)
        while block is not None and block.transfer is not None and block.transfer.backdated:
            number -= 1
            block = self.visible(number)
        return wire.block_json(block, visible=bool(asked.get("visible"))) if block is not None else {}

    def _block_by_number(self, asked: Mapping[str, Any], solid: bool) -> Any:
        try:
            number = int(asked.get("num") or 0)
        except (TypeError, ValueError):
            return {"Error": "class java.lang.NumberFormatException : null"}
        if number == 0:
            return wire.genesis_json()
        block = self.visible(number) if number <= (self.final if solid else self.head) else None
        return wire.block_json(block, visible=bool(asked.get("visible"))) if block is not None else {}

    def _transaction(self, asked: Mapping[str, Any], solid: bool) -> Any:
        found = self._asked_for(asked, solid)
        if not isinstance(found, tuple):
            return found
        return wire.transaction_json(found[0], visible=bool(asked.get("visible")))

    def _info(self, asked: Mapping[str, Any], solid: bool) -> Any:
        found = self._asked_for(asked, solid)
        if not isinstance(found, tuple):
            return found
        if solid:
            self.was_told(*found)
        return wire.info_json(*found, visible=bool(asked.get("visible")))

    def _asked_for(
        self, asked: Mapping[str, Any], solid: bool
    ) -> tuple[Transaction, Block[Transaction]] | dict[str, Any]:
        """The transaction, or what is said instead: {} when it is unknown, or not solid where only that is told."""
        value = str(asked.get("value", ""))
        if not re.fullmatch(r"(?:[0-9a-fA-F]{2})*", value):
            return {"Error": _BAD_HEX}
        found = self.find(value.lower())
        return {} if found is None or (solid and found[1].number > self.final) else found

    # the lists

    def _v1(self, path: str, request: Request) -> Response:
        match = re.fullmatch(r"accounts/([^/]+)/transactions(/trc20)?", path)
        if match is None or request.method != "GET":
            return JSONResponse({"success": False, "error": "Not Found", "statusCode": 404}, status_code=404)
        address = hex_of(match.group(1))
        try:
            wanted = Wanted(request.query_params)
        except ValueError as error:
            return _bad(str(error))
        if address is None:
            return _bad("A valid account address is required.")
        rows = self._token_rows(address, wanted) if match.group(2) else self._coin_rows(address, wanted)
        return JSONResponse(self._page(request, list(rows), wanted))

    def _page(self, request: Request, rows: list[Row], wanted: Wanted) -> dict[str, Any]:
        rows.sort(key=lambda row: row[0], reverse=wanted.descending)
        if wanted.after is not None:
            rows = [row for row in rows if (row[0] < wanted.after if wanted.descending else row[0] > wanted.after)]
        page = rows[: wanted.limit]
        meta: dict[str, Any] = {"at": millis(self.chain.now()), "page_size": len(page)}
        if len(rows) > len(page):
            mark = base58.b58encode_check(json.dumps(page[-1][0]).encode()).decode()
            query = urlencode({**request.query_params, "fingerprint": mark})
            url = f"{request.url.scheme}://{request.url.netloc}{request.url.path}?{query}"
            meta = {"at": meta["at"], "fingerprint": mark, "links": {"next": url}, "page_size": len(page)}
        return {"data": [row for _, row in page], "success": True, "meta": meta}

    def _blocks(self, wanted: Wanted) -> Iterator[Block[Transaction]]:
        self.chain.poll()
        for number in range(self.chain.first_block, self.head + 1):
            solid = number <= self.final
            if (wanted.only_confirmed and not solid) or (wanted.only_unconfirmed and solid):
                continue
            block = self.visible(number)
            if block is not None and wanted.first <= millis(block.at) <= wanted.last:
                yield block

    def _coin_rows(self, address: str, wanted: Wanted) -> Iterator[Row]:
        for block in self._blocks(wanted):
            for place, item in enumerate(block.transactions):
                to_us, from_us = item.raw.to == address, item.raw.owner == address
                if wire.touches(item, address) and wanted.takes(to_us=to_us, from_us=from_us):
                    yield (millis(block.at), block.number, place, 0), wire.coin_row(item, block)

    def _token_rows(self, address: str, wanted: Wanted) -> Iterator[Row]:
        ours = word(address)
        for block in self._blocks(wanted):
            for place, item in enumerate(block.transactions):
                for index, log in enumerate(item.logs):
                    if not wire.is_transfer(log) or (wanted.contract and "41" + log.address != wanted.contract):
                        continue
                    to_us, from_us = log.topics[2] == ours, log.topics[1] == ours
                    if (to_us or from_us) and wanted.takes(to_us=to_us, from_us=from_us):
                        yield (millis(block.at), block.number, place, index), wire.token_row(item, log, block)


class Wanted:
    """What a list is asked for. Raises ValueError in words."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self.only_confirmed = query.get("only_confirmed") == "true"
        self.only_unconfirmed = query.get("only_unconfirmed") == "true"
        self.only_to, self.only_from = query.get("only_to") == "true", query.get("only_from") == "true"
        self.limit = _whole(query, "limit", PAGE)
        if not 1 <= self.limit <= MOST:
            raise ValueError(f"limit must be between 1 and {MOST}")
        self.first = _whole(query, "min_timestamp", 0)
        self.last = _whole(query, "max_timestamp", 1 << 53)
        order = query.get("order_by", "block_timestamp,desc")
        if order not in {"block_timestamp,asc", "block_timestamp,desc"}:
            raise ValueError("order_by must be block_timestamp,asc or block_timestamp,desc")
        self.descending = order.endswith("desc")
        self.contract = hex_of(query["contract_address"]) if "contract_address" in query else ""
        if self.contract is None:
            raise ValueError("A valid contract address is required.")
        self.after: tuple[int, ...] | None = None
        if "fingerprint" in query:
            try:
                self.after = tuple(map(int, json.loads(base58.b58decode_check(query["fingerprint"]))))
            except (ValueError, TypeError):
                raise ValueError("The fingerprint is invalid.") from None

    def takes(self, *, to_us: bool, from_us: bool) -> bool:
        return (to_us or not self.only_to) and (from_us or not self.only_from)


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,16}", text):
        raise ValueError(f"{name} must be a number")
    return int(text)


def _bad(words: str) -> Response:
    return JSONResponse({"success": False, "error": words, "statusCode": 400}, status_code=400)


def _refusal(kind: str, *, lists: bool) -> Response:
    if kind == "bad_key":
        return JSONResponse({"Error": "ApiKey not exists"}, status_code=403)
    words = _FREQUENCY if kind == "suspended" else _RATE
    if lists and kind != "rate_limit_200":
        return JSONResponse({"success": False, "error": words, "statusCode": 403}, status_code=403)
    status = {"suspended": 403, "rate_limit": 429, "rate_limit_200": 200}[kind]
    return JSONResponse({"Error": words}, status_code=status)
