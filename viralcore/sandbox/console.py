"""What the console of the sandbox says."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text


class Say:
    """Lines and boxes for the person at the console."""

    def __init__(self) -> None:
        self._out = Console(highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        self._out.print(Text(text, style="dim"))

    def caption(self, text: str) -> None:
        """One step of the demo."""
        self._out.print(Text.assemble(("  ▸ ", "bold cyan"), (text, "bold")))

    def trouble(self, *lines: str) -> None:
        self._out.print(Text("\n".join(lines), style="bold red"))

    def welcome(self, page: str, log: Path) -> None:
        """Where everything is."""
        body = Text.assemble(
            ("The whole shop runs on this machine.\n\n", "bold"),
            "Open   ",
            (page, "bold cyan underline"),
            "\n",
            "Stop   Ctrl-C\n",
            "Log    ",
            (str(log), "dim"),
            overflow="fold",
        )
        self._out.print(
            Panel(body, title="viralcore sandbox", border_style="cyan", padding=(1, 3), expand=False), soft_wrap=False
        )
