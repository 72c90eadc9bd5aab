"""The command line as a person meets it: a process, its words and its exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from tests.support.database import Cluster
from viralcore import cli

ROOT = Path(__file__).parents[3]
ENOUGH = {
    "TELEGRAM_BOT_TOKEN": "7001234567:AAHcanaryCANARYcanaryCANARYcanary_-1",
    "ADMIN_IDS": "1000",
    "ENCRYPTION_KEYS": Fernet.generate_key().decode(),
    "FINGERPRINT_KEY": "canary-fingerprint-key",
}


def viralcore(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "viralcore", *arguments],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "settings").symlink_to(ROOT / "settings")
    return tmp_path


def test_bad_settings_are_told_all_at_once_with_exit_code_2(folder: Path) -> None:
    done = viralcore("run", cwd=folder, HTTP_PORT="web", LOG_LEVEL="LOUD", TELEGRAM_BOT_TOKEN="canary")
    assert done.returncode == 2
    for name in ("HTTP_PORT", "LOG_LEVEL", "TELEGRAM_BOT_TOKEN", "ADMIN_IDS", "ENCRYPTION_KEYS", "FINGERPRINT_KEY"):
        assert f"environment: {name}: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr + done.stdout


def test_keys_are_good_for_the_settings(folder: Path) -> None:
    made = viralcore("keys", cwd=folder).stdout
    (folder / ".env").write_text(
        made + "TELEGRAM_BOT_TOKEN=123456:aaaaaaaaaaaaaaaaaaaaaaaa\nADMIN_IDS=1\nHTTP_PORT=x\n"
    )
    done = viralcore("run", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.count("environment: ") == 1


def test_migrate_twice_and_doctor(folder: Path, postgres: Cluster) -> None:
    url = postgres.empty()
    first = viralcore("migrate", cwd=folder, DATABASE_URL=url)
    again = viralcore("migrate", cwd=folder, DATABASE_URL=url)
    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert first.stdout.startswith("Migrated from empty to ")
    assert again.stdout.startswith("Already up to date")

    healthy = viralcore("doctor", cwd=folder, DATABASE_URL=url, **ENOUGH)
    assert healthy.returncode == 0, healthy.stderr
    assert "well     database" in healthy.stdout
    assert "row      payouts: " in healthy.stdout
    assert "one person only" not in healthy.stdout, "nobody has been made an owner yet"
    assert "staff cards go to the owners' private chats" in healthy.stdout
    granted = viralcore("admin", "grant", "5", "finance", cwd=folder, DATABASE_URL=url, **ENOUGH)
    assert granted.returncode == 0, granted.stderr
    switched_off = ENOUGH | {"ENABLE_TELEGRAM_NOTIFICATIONS": "false", "DATABASE_URL": url}
    told = viralcore("doctor", cwd=folder, **switched_off)
    assert "one person only may decide on payouts" in told.stdout
    assert "no staff card is sent anywhere" in told.stdout
    assert "canary" not in healthy.stdout

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO core.meta (key, value) VALUES ('environment', 'sandbox')")
    foreign = viralcore("doctor", cwd=folder, DATABASE_URL=url, **ENOUGH)
    assert foreign.returncode == 1
    assert "it belongs to ENVIRONMENT=sandbox" in foreign.stdout


def test_keys_rotate_until_the_old_one_can_be_dropped(folder: Path, database_url: str) -> None:
    old, new = ENOUGH["ENCRYPTION_KEYS"], Fernet.generate_key().decode()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO payments.webhooks (external_id, event, kind, reference, sealed, received_at) "
            "VALUES ('e', 'e', 'other', '', %s, now())",
            [Fernet(old).encrypt(b"told").decode()],
        )

    def rotate(keys: str) -> subprocess.CompletedProcess[str]:
        told = ENOUGH | {"ENCRYPTION_KEYS": keys, "DATABASE_URL": database_url}
        return viralcore("keys", "rotate", cwd=folder, **told)

    too_early = rotate(new)
    assert (too_early.returncode, "1 value(s) are opened by no key" in too_early.stderr) == (1, True)
    done = rotate(f"{new},{old}")
    assert done.returncode == 0, done.stderr
    assert "payments.webhooks.sealed" in done.stdout
    assert "1 changed" in done.stdout
    assert "can be taken out of ENCRYPTION_KEYS" in done.stdout
    assert rotate(new).returncode == 0
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT sealed FROM payments.webhooks").fetchone()
    assert row is not None
    assert Fernet(new).decrypt(row[0].encode()) == b"told"
    unready = viralcore("keys", "rotate", cwd=folder, DATABASE_URL=database_url)
    assert (unready.returncode, "a new key first" in unready.stderr) == (2, True)


def test_a_database_that_is_not_there(folder: Path) -> None:
    url = "postgresql://viral:canary-password@127.0.0.1:1/none"
    for command, said in (("migrate", "cannot be reached"), ("doctor", "broken   database")):
        done = viralcore(command, cwd=folder, DATABASE_URL=url, **ENOUGH)
        assert done.returncode == 1
        assert said in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert "canary" not in done.stdout + done.stderr


def test_staff_and_held_work_by_command(
    folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {**ENOUGH, "DATABASE_URL": database_url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(cli.log, "setup", lambda **_: None)

    def does(*words: str) -> subprocess.CompletedProcess[str]:
        """In this process: a dozen of its own would take longer than all they do."""
        monkeypatch.setattr(sys, "argv", ["viralcore", *words])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        out = "".join(line for line in said.out.splitlines(keepends=True) if "plan_warning" not in line)
        return subprocess.CompletedProcess(words, code, out, said.err)

    assert does("admin", "grant", "5", "owner").stdout == "5 is owner now.\n"
    for last in (("revoke", "5", "owner"), ("block", "5", "--reason", "x")):
        refused = does("admin", *last)
        assert refused.returncode == 1
        assert "without an owner who can act" in refused.stderr
    assert does("admin", "block", "7").returncode == 2, "a reason is needed"
    assert does("admin", "block", "7", "--reason", "spam").stdout == "7 is blocked now.\n"
    assert does("admin", "unblock", "7", "--reason", "sorry").stdout == "7 is not blocked now.\n"
    assert does("admin", "grant", "6", "owner").returncode == 0
    assert does("admin", "revoke", "5", "owner").stdout == "5 is not owner now.\n"
    assert does("held", "list").stdout == "Nothing is held.\n"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO core.effects (kind, key, payload, state, attempts, error, created_at) "
            "VALUES ('boosts.x', 'k', '{}', 'held', 1, 'LookupError: bug', now())"
        )
    (line, why, total) = does("held", "list").stdout.splitlines()
    assert (why.strip(), total) == ("1 attempts: LookupError: bug", "1 held.")
    assert "effect" in line
    assert "boosts.x (k)" in line
    assert does("held", "retry", line.split()[0]).returncode == 0
    again = does("held", "retry", line.split()[0])
    assert (again.returncode, "nothing of that name" in again.stderr) == (1, True)
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT state FROM core.effects WHERE kind = 'boosts.x'").fetchall() == [("queued",)]
        audited = connection.execute("SELECT action, actor FROM users.audit_log ORDER BY id").fetchall()
    assert [action for action, _ in audited] == [
        "role.granted", "block.set", "block.lifted", "role.granted", "role.revoked", "held.retried",
    ]  # fmt: skip
    assert {actor for _, actor in audited} == {0}


@pytest.mark.parametrize("nonsense", ["admin grant -5 owner", "admin grant 5 king", "frobnicate", "run --role idle"])
def test_nonsense_is_answered_with_help(nonsense: str) -> None:
    assert CliRunner().invoke(cli.app, nonsense.split()).exit_code == 2
