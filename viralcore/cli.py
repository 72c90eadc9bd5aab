"""The command line, in plain English. A command loads the settings, calls one door and prints the answer."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from viralcore.core import log
from viralcore.core.embedded import EmbeddedPostgres, EmbeddedPostgresError
from viralcore.core.errors import CannotStart, DomainError
from viralcore.core.loading import uncollected, without_rich
from viralcore.core.money import Money, decimals
from viralcore.core.problems import SettingsError
from viralcore.settings import Needs, Settings, load

if TYPE_CHECKING:
    from rich.console import Console

    from viralcore.admin.api import HeldView
    from viralcore.boosts.api import PanelView
    from viralcore.bootstrap import Doors
    from viralcore.withdrawals.api import DeskView

T = TypeVar("T")
BAD_SETTINGS = 2  # systemd does not try again after this one
Role = Literal["reply_guy", "support", "finance", "owner"]
UserId = Annotated[int, typer.Argument(help="The person's Telegram id.", min=1)]
Reason = Annotated[str, typer.Option(help="Why, for the audit log.")]

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="viralcore: a Telegram shop for social-media engagement. Told by the environment, .env and settings/.",
)
admin = typer.Typer(no_args_is_help=True, help="Staff, without the bot.")
key_commands = typer.Typer(help="Keys for what is encrypted: print fresh ones, or change over to a new one.")
ledger = typer.Typer(no_args_is_help=True, help="The books.")
held = typer.Typer(no_args_is_help=True, help="Work that failed in every attempt and waits to be let go on.")
app.add_typer(admin, name="admin")
app.add_typer(held, name="held")
app.add_typer(key_commands, name="keys")
app.add_typer(ledger, name="ledger")


_REFUSALS = {
    "users.last_owner": "Refused: that would leave the shop without an owner who can act. Nothing was changed.",
    "core.not_found": "There is nothing of that name. Nothing was changed.",
}


def main() -> None:
    """The `viralcore` command. Exit codes: 0 well, 1 not well, 2 the settings or the command line are wrong."""
    try:
        app()
    except SettingsError as error:
        _err().print("The settings cannot be used:")
        for problem in error.problems:
            _err().print(f"  {problem}")
        sys.exit(BAD_SETTINGS)
    except DomainError as error:
        _fail(_REFUSALS.get(error.code, f"Refused: {error}"))
    except CannotStart as error:
        _err().print(str(error))
        sys.exit(BAD_SETTINGS)
    except EmbeddedPostgresError as error:
        _fail(str(error))
    except Exception as error:
        if not _is_database_trouble(error):
            raise
        _fail(f"The database cannot be reached: {_first_line(error)}")


@app.command()
def run(
    role: Annotated[
        Literal["all", "bot", "worker"],
        typer.Option(help="all: one process does everything. bot: answers people. worker: deliveries and effects."),
    ] = "all",
) -> None:
    """Run the bot until it is told to stop (Ctrl-C or SIGTERM)."""
    settings = _settings("run", level=None)
    own = settings.env.database_url is None
    postgres = EmbeddedPostgres.of(settings.env.data_dir, pg_bin=settings.env.pg_bin) if own else None
    if postgres is not None:
        postgres.begin()  # while the other half of the program is loaded
    with uncollected(), without_rich():
        from viralcore import bootstrap
        from viralcore.core import runtime, sentry

    if settings.env.sentry_dsn is not None:
        dsn = settings.env.sentry_dsn.get_secret_value()
        sentry.report_to(dsn, environment=settings.env.environment, secrets=settings.secrets())
    runtime.run(bootstrap.run(settings, role=role, postgres=postgres))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(envvar="SANDBOX_PORT", help="Where the page is.")] = 8080,
    demo: Annotated[bool, typer.Option("--demo", help="Play the whole story on the page by itself.")] = False,
    pace: Annotated[float, typer.Option(min=0, help="Seconds between the steps of the demo.")] = 2.2,
) -> None:
    """Run the whole shop on this machine: database, simulators of every third party, the bot, and a page to try it."""
    from viralcore.sandbox import supervisor

    sys.exit(supervisor.main(port=port, demo=pace if demo else None))


@app.command()
def migrate() -> None:
    """Bring the database up to date. Safe to repeat; `run` does it by itself on an embedded database."""
    from viralcore.core import migrate as migrations

    settings = _settings("database")
    with _database_url(settings) as url:
        before = migrations.current(url)
        migrations.upgrade(url)
        after = migrations.current(url)
    _out().print(
        f"Already up to date ({after})." if before == after else f"Migrated from {before or 'empty'} to {after}."
    )


@key_commands.callback(invoke_without_command=True)
def keys(context: typer.Context) -> None:
    """Print fresh ENCRYPTION_KEYS and FINGERPRINT_KEY for .env. Keep a copy: nothing encrypted can be read without."""
    if context.invoked_subcommand is not None:
        return
    from viralcore.core.crypto import new_key

    typer.echo(f"ENCRYPTION_KEYS={new_key()}")
    typer.echo(f"FINGERPRINT_KEY={secrets.token_urlsafe(32)}")


@key_commands.command()
def rotate() -> None:
    """Put everything that is encrypted under the first of ENCRYPTION_KEYS, so that the ones behind it can be dropped.

    Put a new key in front, restart the bot, then run this. It may be broken off and run again.
    """
    settings = _settings("database")
    from viralcore import bootstrap
    from viralcore.core.rekey import Step

    def told(step: Step) -> None:
        lost = f", {step.lost} that no key opens" if step.lost else ""
        _out().print(f"{step.column:<40} {step.seen:>8,} looked at, {step.changed:,} changed{lost}")

    with _database_url(settings) as url:
        steps = asyncio.run(bootstrap.rotate_keys(settings.with_database(url), told))
    lost = sum(step.lost for step in steps)
    if lost:
        _fail(f"{lost} value(s) are opened by no key: put the key they were written with behind the others.")
    if len(settings.env.encryption_keys) > 1:
        _out().print("Everything is under the first key. The others can be taken out of ENCRYPTION_KEYS.")
    else:
        _out().print("Everything is under the only key. To change it, put a new one in front and run this again.")


@app.command()
def doctor() -> None:
    """Say what the settings are and where each came from, and whether everything needed is there."""
    settings = _settings("run")
    name = max(len(source.name) for source in settings.sources)
    origin = max(len(source.origin) for source in settings.sources)
    for source in settings.sources:
        _out().print(f"{source.name:<{name}}  {source.origin:<{origin}}  {source.shown}")
    healthy = _examine_database(settings)
    deciders = _examine_rows(settings) if healthy else len(settings.env.admin_ids)
    for warning in _warnings(settings, deciders):
        _out().print(f"warning  {warning}")
    if not healthy:
        raise typer.Exit(1)


@admin.command()
def grant(
    user_id: UserId,
    role: Annotated[Role, typer.Argument(help="The role to give.")],
    reason: Reason = "granted on the command line",
) -> None:
    """Give somebody a role. Written to the audit log."""
    _through_doors(lambda doors: doors.users.grant_role(key=_key(), actor=0, user_id=user_id, role=role, reason=reason))
    _out().print(f"{user_id} is {role} now.")


@admin.command()
def revoke(
    user_id: UserId,
    role: Annotated[Role, typer.Argument(help="The role to take away.")],
    reason: Reason = "revoked on the command line",
) -> None:
    """Take a role away from somebody. Audited. Who stands in ADMIN_IDS is owner again at every start."""
    _through_doors(
        lambda doors: doors.users.revoke_role(key=_key(), actor=0, user_id=user_id, role=role, reason=reason)
    )
    _out().print(f"{user_id} is not {role} now.")


@admin.command()
def block(user_id: UserId, reason: Annotated[str, typer.Option(help="Why, for the audit log.")]) -> None:
    """Block somebody: they can buy, order and withdraw nothing. Money of theirs that comes in is still credited."""
    _through_doors(lambda doors: doors.users.block(key=_key(), actor=0, kind="user", value=str(user_id), reason=reason))
    _out().print(f"{user_id} is blocked now.")


@admin.command()
def unblock(user_id: UserId, reason: Annotated[str, typer.Option(help="Why, for the audit log.")]) -> None:
    """Lift somebody's block."""
    _through_doors(
        lambda doors: doors.users.unblock(key=_key(), actor=0, kind="user", value=str(user_id), reason=reason)
    )
    _out().print(f"{user_id} is not blocked now.")


@held.command(name="list")
def held_list(
    page: Annotated[int, typer.Option(min=1, help="Which page of 20.")] = 1,
) -> None:
    """Say what is held, oldest first: its name, what it is, since when, and why."""

    async def work(doors: Doors) -> tuple[int, tuple[HeldView, ...]]:
        return await doors.held.count(), await doors.held.page(limit=20, offset=(page - 1) * 20)

    total, found = _through_doors(work)
    for one in found:
        _out().print(f"{one.token}  {one.queue:<8}  {one.since:%Y-%m-%d %H:%M}  {one.what} ({one.about})")
        _out().print(f"{'':16}  {one.attempts} attempts: {one.error[:300]}")
    _out().print(f"{total} held." if total else "Nothing is held.")


@held.command(name="retry")
def held_retry(
    name: Annotated[str, typer.Argument(help="Its name, as `viralcore held list` says it.")],
) -> None:
    """Let one thing go on, with fresh attempts. A call whose outcome nobody knows is never made twice. Audited."""
    _through_doors(lambda doors: doors.held.retry(key=_key(), actor=0, token=name))
    _out().print(f"{name} is tried again by the running bot.")


@ledger.command()
def check() -> None:
    """Print the trial balance and audit every posting, balance and hold. Exit code 1 when anything is wrong."""
    settings = _settings("database")
    from viralcore import bootstrap
    from viralcore.ledger.api import TrialBalance

    async def work(settings: Settings) -> tuple[TrialBalance, tuple[str, ...]]:
        async with bootstrap.doors(settings) as doors:
            return await doors.ledger.trial_balance(), await doors.ledger.check()

    with _database_url(settings) as url:
        trial, problems = asyncio.run(work(settings.with_database(url)))
    from rich.table import Table

    table = Table("account", "asset", box=None, pad_edge=False)
    table.add_column("total", justify="right")
    for name, asset, total in trial.rows:
        table.add_row(name, asset, f"{Money(total, asset).decimal:,.{decimals(asset)}f}")
    _out().print(table)
    for problem in problems:
        _out().print(f"wrong    {problem}")
    if problems or not trial.balanced:
        _fail("The books do not balance." if not trial.balanced else f"{len(problems)} problem(s) in the books.")
    _out().print("The books balance.")


def _key() -> str:
    return f"cli-{secrets.token_hex(8)}"


def _through_doors(work: Callable[[Doors], Awaitable[T]], settings: Settings | None = None) -> T:
    """Call the shop's doors as the command line; the bot may be running or not."""
    settings = settings or _settings("database")
    from viralcore import bootstrap

    async def run(settings: Settings) -> T:
        async with bootstrap.doors(settings) as doors:
            return await work(doors)

    with _database_url(settings) as url:
        return asyncio.run(run(settings.with_database(url)))


@cache
def _out() -> Console:
    from rich.console import Console  # here, because the bot itself never needs it

    return Console(highlight=False, markup=False, soft_wrap=True)


@cache
def _err() -> Console:
    from rich.console import Console

    return Console(stderr=True, highlight=False, markup=False, soft_wrap=True)


def _settings(needs: Needs, *, level: str | None = "ERROR") -> Settings:
    settings = load(needs=needs)
    log.setup(level=level or settings.env.log_level, format=settings.env.log_format, secrets=settings.secrets())
    return settings


@contextmanager
def _database_url(settings: Settings) -> Iterator[str]:
    """The database of these settings: the one named, the embedded one that runs, or the embedded one started for us."""
    if settings.env.database_url is not None:
        yield settings.env.database_url.get_secret_value()
        return
    folder = settings.env.data_dir / "postgres"
    running = _running_embedded(folder)
    if running is not None:
        yield running
        return
    embedded = EmbeddedPostgres.of(settings.env.data_dir, pg_bin=settings.env.pg_bin)
    try:
        yield embedded.start()
    finally:
        embedded.stop()


def _running_embedded(folder: Path) -> str | None:
    """The address of an embedded Postgres that another viralcore runs in this folder: its own pid file says where."""
    try:
        lines = (folder / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()
        alive = Path(f"/proc/{int(lines[0])}").exists()
    except (OSError, ValueError, IndexError):
        return None
    return f"postgresql://postgres@/postgres?host={lines[4]}" if alive and len(lines) > 4 else None


def _examine_database(settings: Settings) -> bool:
    from viralcore.core import migrate as migrations

    try:
        with _database_url(settings) as url:
            current, newest = migrations.current(url), migrations.newest()
            bound = migrations.bound_environment(url) if current else None
    except Exception as error:
        if not isinstance(error, EmbeddedPostgresError) and not _is_database_trouble(error):
            raise
        _out().print(f"broken   database: {_first_line(error)}")
        return False
    _out().print(
        f"{'well    ' if current == newest else 'behind  '} database: at {current or 'nothing'}, newest {newest}"
    )
    if bound not in (None, settings.env.environment):
        _out().print(f"broken   database: it belongs to ENVIRONMENT={bound}")
        return False
    return True


def _examine_rows(settings: Settings) -> int:
    """Say what staff changed at run time, which goes before the settings; returns how many may decide on payouts."""

    async def look(doors: Doors) -> tuple[int, DeskView, tuple[PanelView, ...]]:
        deciders = await doors.users.staff_ids(right="withdrawals.decide")
        return len(deciders), await doors.withdrawals.desk.switches(), await doors.boosts.panels()

    deciders, payouts, panels = _through_doors(look, settings)
    stopped = f", stopped: {payouts.stop_reason}" if payouts.stopped else ""
    _out().print(f"row      payouts: {payouts.mode}{', paused' if payouts.paused else ''}{stopped}")
    for panel in panels:
        first = "an owner put it first" if panel.preferred else ""
        waiting = f"{panel.quarantined} service(s) wait for an owner" if panel.quarantined else ""
        if first or waiting:
            _out().print(f"row      panel {panel.name}: {', '.join(one for one in (first, waiting) if one)}")
    return deciders


def _warnings(settings: Settings, deciders: int) -> Iterator[str]:
    env = settings.env
    if deciders == 1:
        yield (
            "one person only may decide on payouts: where two approvers are asked for, the second approval is theirs "
            "again after 24 h"
        )
    if env.database_url is None:
        place = EmbeddedPostgres.of(env.data_dir, pg_bin=env.pg_bin).at_risk()
        if place is not None:
            yield (
                f"the database stands in {place}, where the system deletes what is old: stop the bot, move that folder "
                f"to /var/lib/viralcore, and let {env.data_dir / 'postgres' / 'postgres'} point there"
            )
    if env.disable_notifications or not env.enable_telegram_notifications:
        yield "notifications to staff are switched off: no staff card is sent anywhere, see the Admin Panel"
    elif env.admin_telegram_chat_id is None:
        yield "ADMIN_TELEGRAM_CHAT_ID is not set: staff cards go to the owners' private chats"
    if not any((env.bsc_deposit_address, env.sol_deposit_address, env.trx_deposit_address, env.aptos_deposit_address)):
        yield "no deposit address is set: nobody can pay with crypto"
    if not any((env.smmflare_api_key, env.plugsmms_api_key, env.smmstone_api_key)):
        yield "no panel has a key: nothing can be delivered"
    if env.environment == "production" and env.database_url is None:
        yield "DATABASE_URL is not set: the embedded database is kept in DATA_DIR; back that folder up"


def _is_database_trouble(error: BaseException) -> bool:
    # By name, because the command line knows no SQL library: psycopg's and SQLAlchemy's are both called so.
    return "OperationalError" in {cls.__name__ for cls in type(error).__mro__} or isinstance(error, ConnectionError)


def _first_line(error: BaseException) -> str:
    original = getattr(error, "orig", None) or error
    return log.Redactor().text(next(iter(str(original).strip().splitlines()), type(original).__name__))


def _fail(message: str) -> None:
    _err().print(message)
    sys.exit(1)
