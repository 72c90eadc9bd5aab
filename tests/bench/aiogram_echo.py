"""An echo bot on aiogram 3, as a process in its own environment: .venv-bench/bin/python tests/bench/aiogram_echo.py URL

Stock aiogram; only its connection limit (100) is raised, so that 256 replies can be under way.
"""

import asyncio
import sys

from aiogram import Bot, Dispatcher  # type: ignore[import-not-found]
from aiogram.client.session.aiohttp import AiohttpSession  # type: ignore[import-not-found]
from aiogram.client.telegram import TelegramAPIServer  # type: ignore[import-not-found]
from aiogram.types import Message  # type: ignore[import-not-found]

TOKEN = "42:bench-bench-bench-bench-bench-bench-bench"


async def echo(message: Message) -> None:
    await message.answer(message.text)


async def main(url: str) -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(url), limit=512)
    dispatcher = Dispatcher()
    dispatcher.message.register(echo)
    await dispatcher.start_polling(Bot(TOKEN, session=session))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
