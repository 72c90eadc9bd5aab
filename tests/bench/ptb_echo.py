"""An echo bot on python-telegram-bot, as a process: the same bot, on our transport or on the stock one.

    python -m tests.bench.ptb_echo ours|stock URL

Ours is what the product sends through: lanes (their pace raised out of the way) over the aiohttp transport. Stock is
what PTB's documentation tells a busy bot to use: HTTPXRequest with a pool of 512, concurrent_updates of 256. All else
is the same in both: the process runs as the product's does (`core.runtime`: uvloop, a patient collector).
"""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import Any

import uvloop
from telegram import Update
from telegram.ext import ApplicationBuilder, ContextTypes, MessageHandler, filters
from telegram.request import BaseRequest, HTTPXRequest

from viralcore.bot.laned import LanedRequest
from viralcore.bot.lanes import Lanes
from viralcore.bot.transport import PooledRequest
from viralcore.core import runtime

TOKEN = "42:bench-bench-bench-bench-bench-bench-bench"
FAST = 1_000_000


def requests(kind: str) -> tuple[BaseRequest, BaseRequest]:
    """For getUpdates, and for everything else."""
    if kind == "stock":
        return HTTPXRequest(connection_pool_size=1), HTTPXRequest(connection_pool_size=512)
    lanes = Lanes(per_second=FAST, chat_gap=0.0)
    return PooledRequest(connections=1), LanedRequest(PooledRequest(connections=512), lanes)


async def echo(update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
    message = update.message
    if message is not None and message.text is not None:
        await context.bot.send_message(message.chat_id, message.text)


def main(kind: str, url: str) -> None:
    polls, calls = requests(kind)
    builder: Any = ApplicationBuilder().token(TOKEN).base_url(f"{url}/bot").concurrent_updates(256)
    application = builder.request(calls).get_updates_request(polls).job_queue(None).build()
    application.add_handler(MessageHandler(filters.TEXT, echo))
    gc.set_threshold(*runtime.COLLECTOR)
    runtime.started()
    asyncio.set_event_loop(uvloop.new_event_loop())  # where PTB looks for the loop to run on
    application.run_polling()


if __name__ == "__main__":
    main(*sys.argv[1:])
