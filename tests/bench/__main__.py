"""`make bench`: every line side by side with its baseline.

    python -m tests.bench [--only NAME[,NAME]] [--output bench-results.json]

Every line runs in a process of its own, so that one's memory, pools and loops are not another's.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.harness import Result

# A line: the module that measures it. One module may measure several; `measure(wanted)` answers those it is asked for.
LINES = {
    "ledger_transfers": "ledger",
    "ledger_batch": "ledger",
    "ledger_hot": "ledger",
    "bot_transport": "transport",
    "bot_transport_aiogram": "transport",
    "bot_pipeline": "pipeline",
    "bot_latency": "latency",
    "overload": "overload",
    "events": "events",
    "phases": "phases",
    "phases_balance": "phases",
    "orders": "panel_load",
    "polling": "panel_load",
    "polling_balance": "panel_load",
    "watcher": "watcher",
    "memory": "memory",
    "cold_start": "cold_start",
    "withdrawals_mutants": "mutants",
    "ledger_mutants": "mutants",
    "withdrawals_coverage": "coverage",
    "ledger_coverage": "coverage",
}
Measure = Callable[[Sequence[str]], Sequence[Result]]


def run_here(module: str, wanted: Sequence[str]) -> list[Result]:
    measure: Measure = importlib.import_module(f"tests.bench.{module}").measure
    return list(measure(wanted))


def run_apart(module: str, wanted: Sequence[str], console: Console) -> list[Result]:
    """The lines of one module, in a process of their own. A line that breaks is a red line, not the end of the run."""
    with tempfile.NamedTemporaryFile("r", suffix=".json") as told:
        command = [sys.executable, "-m", "tests.bench", "--here", module, "--only", ",".join(wanted)]
        done = subprocess.run([*command, "--output", told.name], check=False)
        if done.returncode:
            console.print(f"[red]{module} ended with code {done.returncode}[/red]")
            return [Result(name, 0.0, "broken", "higher", False) for name in wanted]
        return [Result(**row) for row in json.load(told)]


def number(value: float | None, span: Sequence[float] | None = None) -> str:
    if value is None:
        return ""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    if span is not None and span[0] != span[1]:
        text += f" [dim]({number(span[0])} to {number(span[1])})[/dim]"
    return text


def table(results: Sequence[Result]) -> Table:
    shown = Table(title="viralcore bench: median (min to max)", title_justify="left")
    for title in ("line", "value", "unit", "baseline", "", "ratio", "goal", ""):
        shown.add_column(title, justify="right" if title in {"value", "baseline", "ratio", "goal"} else "left")
    for one in results:
        sign = ("≥ " if one.better == "higher" else "≤ ") if one.goal is not None else ""
        shown.add_row(
            one.name,
            number(one.value, one.span),
            one.unit,
            number(one.baseline, one.baseline_span),
            one.baseline_name or "",
            number(one.ratio),
            f"{sign}{number(one.goal)}",
            "[green]ok[/green]" if one.ok else "[bold red]not ok[/bold red]",
        )
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", default="", help=f"one or more of {', '.join(LINES)}")
    parser.add_argument("--output", type=Path, default=Path("bench-results.json"))
    parser.add_argument("--here", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    asked_for = [name for name in asked.only.split(",") if name]
    wanted = [name for name, module in LINES.items() if not asked_for or {name, module} & set(asked_for)]
    unknown = sorted(set(asked_for) - set(LINES) - set(LINES.values()))
    if unknown:
        parser.error(f"no line is called {', '.join(unknown)}; there are {', '.join(LINES)}")
    if asked.here:
        found = run_here(asked.here, wanted)
        asked.output.write_text(json.dumps([one.row() | {"span": one.span, "baseline_span": one.baseline_span}
                                            for one in found]))  # fmt: skip
        return 0
    console, results, began = Console(width=None if sys.stdout.isatty() else 150), [], time.monotonic()
    for module in dict.fromkeys(LINES[name] for name in wanted):
        lines = [name for name in wanted if LINES[name] == module]
        console.print(f"[bold]{', '.join(lines)}[/bold] ...")
        results += run_apart(module, lines, console)
    asked.output.write_text(json.dumps([one.row() for one in results], indent=2) + "\n")
    console.print(table(results))
    bad = [one.name for one in results if not one.ok]
    console.print(f"{len(results) - len(bad)} of {len(results)} ok in {time.monotonic() - began:.0f} s; "
                  f"written to {asked.output}")  # fmt: skip
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
