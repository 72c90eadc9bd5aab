"""``make chaos SEED=7 MINUTES=1``: a seeded storm over the whole shop, then the books. Exit code 1 when they disagree.

``--without GUARD`` takes one guard away first; then red is what is wanted, and the exit code is 1 all the same.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from tests.chaos.mutants import MUTANTS
from tests.chaos.run import Result, run


def main() -> int:
    given = _arguments()
    result = asyncio.run(run(given.seed, given.minutes * 60, users=given.users, mutation=given.without or "nothing"))
    _tell(result, given.log)
    return 1 if result.problems else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 10_000))
    parser.add_argument("--minutes", type=float, default=1.0, help="how long the storm lasts")
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--without", choices=sorted(set(MUTANTS) - {"nothing"}), help="take this guard away")
    parser.add_argument("--log", action="store_true", help="print everything that was done, also when all is well")
    return parser.parse_args()


def _tell(result: Result, log: bool) -> None:
    out = sys.stdout
    if result.problems or log:
        out.write("\n".join(result.record.lines) + "\n\n")
    for problem in result.problems:
        out.write(f"  - {problem}\n")
    out.write(result.summary() + "\n")
    if result.problems:
        out.write(f"again: make chaos SEED={result.seed}; logs of this run: {result.kept}\n")


if __name__ == "__main__":
    sys.exit(main())
