"""No canary secret leaves through a log line, whoever logs it and however it is wrapped."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from viralcore.core import log

TOKEN = "7001234567:AAHcanaryCANARYcanaryCANARYcanary_-1"
PANEL_KEY = "canary-panel-key-000"
DATABASE = "postgresql://viral:canary-password@db.example/viralcore"


@pytest.fixture
def sink() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook)
    quiet = {name: logging.getLogger(name).level for name in log._QUIET}
    stream = io.StringIO()
    log.setup(level="DEBUG", format="json", secrets=[PANEL_KEY, TOKEN, ""], stream=stream)
    yield stream
    root.handlers[:], sys.excepthook = before[0], before[2]
    root.setLevel(before[1])
    for name, level in quiet.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def lines(sink: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in sink.getvalue().splitlines()]


def test_known_secrets_vanish_everywhere(sink: io.StringIO) -> None:
    class Loud:
        def __repr__(self) -> str:
            return f"Loud({PANEL_KEY})"

        __str__ = __repr__

    structlog.get_logger("t").info(
        "asked", plain=PANEL_KEY, deep={"a": [PANEL_KEY, (PANEL_KEY, {PANEL_KEY: 1})]}, thing=Loud()
    )
    logging.getLogger("stdlib").error("failed for %s", PANEL_KEY)
    assert PANEL_KEY not in sink.getvalue()
    assert len(lines(sink)) == 2


def test_exception_texts_are_clean(sink: io.StringIO) -> None:
    try:
        try:
            raise ValueError(f"POST https://api.telegram.org/bot{TOKEN}/getMe")
        except ValueError as error:
            raise RuntimeError(f"with {PANEL_KEY}") from error
    except RuntimeError:
        structlog.get_logger("t").exception("broke")
        logging.getLogger("telegram.ext").exception("broke")
    written = sink.getvalue()
    assert TOKEN not in written
    assert TOKEN.split(":")[1] not in written
    assert PANEL_KEY not in written
    assert "RuntimeError" in written


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("123456789:AAEeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee says hi", "says hi"),
        ("GET http://127.0.0.1:9/botsomethingelse:odd/getMe", "/getMe"),
        ("GET http://127.0.0.1:9/file/botsomethingelse:odd/a.png", "/a.png"),
        ("https://mainnet.helius-rpc.com/?api-key=canary-else&x=1", "x=1"),
        ("Authorization: Bearer canary-else.canary", "Authorization"),
        ("cannot reach " + DATABASE, "db.example"),
        ('{"key": "canary-else", "action": "add"}', "add"),
        ("FLWSECK_TEST-canary-else-X", ""),
        ("data: {'api_key': 'canary-else', 'b': 1}", "'b': 1"),
        ("sent key=canary-else&action=add", "action=add"),
    ],
)
def test_shapes_of_secrets_unknown_at_start(sink: io.StringIO, said: str, kept: str) -> None:
    structlog.get_logger("t").info("said", text=said)
    written = sink.getvalue()
    assert "canary" not in written
    assert "AAEee" not in written
    assert "somethingelse" not in written
    assert kept in written


def test_prose_stays(sink: io.StringIO) -> None:
    said = "no panel has an API key: orders will wait; the secret: patience"
    structlog.get_logger("t").info("said", text=said)
    assert lines(sink)[0]["text"] == said


def test_fields_by_name(sink: io.StringIO) -> None:
    structlog.get_logger("t").info(
        "paid",
        account_number="0123456789",
        card=4111111111111111,
        webhook_secret="abc",
        api_key="k",
        order_id=1234567890123,
        token_count=3,
        note="order 1234567890123",
    )
    (line,) = lines(sink)
    assert line["account_number"] == "******6789"
    assert line["card"] == "******1111"
    assert line["webhook_secret"] == log.MASK
    assert line["api_key"] == log.MASK
    assert line["order_id"] == 1234567890123
    assert line["note"] == "order 1234567890123"


def test_correlation_id_follows_and_ends(sink: io.StringIO) -> None:
    logger = structlog.get_logger("t")
    with log.correlated("abc", update_id=7):
        logger.info("one")
        logging.getLogger("lib").warning("two")
    logger.info("three")
    one, two, three = lines(sink)
    assert one["correlation_id"] == two["correlation_id"] == "abc"
    assert one["update_id"] == two["update_id"] == 7
    assert "correlation_id" not in three
    with log.correlated() as fresh:
        assert log.correlation_id.get() == fresh
        assert len(fresh) == 12
    assert log.correlation_id.get() == ""


def test_libraries_are_quiet_but_heard(sink: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET ...")
    logging.getLogger("httpx").warning("slow")
    assert [line["event"] for line in lines(sink)] == ["slow"]


def test_console_is_clean_too(sink: io.StringIO) -> None:
    stream = io.StringIO()
    log.setup(level="INFO", format="console", secrets=[PANEL_KEY], stream=stream)
    try:
        raise ValueError(PANEL_KEY)
    except ValueError:
        structlog.get_logger("t2").exception("broke", key_used=PANEL_KEY)
    assert PANEL_KEY not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_a_crash_is_logged_not_printed_raw(sink: io.StringIO) -> None:
    error = RuntimeError(PANEL_KEY)
    sys.excepthook(RuntimeError, error, None)
    (line,) = lines(sink)
    assert line["event"] == "crashed"
    assert PANEL_KEY not in sink.getvalue()
