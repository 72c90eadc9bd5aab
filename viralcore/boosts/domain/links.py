"""Links: read out of a message, judged and canonicalised, never fetched."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from viralcore.boosts.api import LinkProblem, LinkView

_X_HOSTS = frozenset({"x.com", "twitter.com", "mobile.twitter.com", "mobile.x.com"})
_T_HOSTS = frozenset({"t.me", "telegram.me", "telegram.dog"})
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")
_CHANNEL = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_NUMBER = re.compile(r"[1-9][0-9]{0,19}")
# Something that wants to be a link: it names a scheme, or starts with what looks like a host and a path.
_WANTS = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|(?:[^\s/@]+@)?[\w-]+(?:\.[\w-]+)+(?::\d+)?[/?#])", re.IGNORECASE)
# Where one word ends and the next begins; also between two links that were pasted without a space.
_BETWEEN = re.compile(r"[\s,;]+(?=\S)|\s+|(?<=[A-Za-z0-9])(?=https?://)")
_OPENING = "<([{\"'«“‘`*_~|"
_CLOSING = ">)]}\"'»”’`*~|,;:!.…"


@dataclass(frozen=True, slots=True)
class Found:
    """What a message holds: links in order, and why others were not taken."""

    links: tuple[LinkView, ...]
    problems: tuple[LinkProblem, ...]


class Bad(Exception):
    """`args[0]`: the reason word."""


def read_links(text: str, *, max_length: int) -> Found:
    """Every link in a message. Words that are no links are passed over. One post named twice counts once."""
    links: list[LinkView] = []
    problems: list[LinkProblem] = []
    for token in _tokens(text):
        try:
            link = parse_link(token, max_length=max_length)
        except Bad as bad:
            problems.append(LinkProblem(_shown(token), str(bad.args[0])))
            continue
        if link.post in {one.post for one in links}:
            problems.append(LinkProblem(_shown(token), "duplicate"))
        elif links and link.platform != links[0].platform:
            problems.append(LinkProblem(_shown(token), "other_platform"))
        else:
            links.append(link)
    return Found(tuple(links), tuple(problems))


def looks_like_link(text: str) -> bool:
    """Whether a message holds anything that wants to be a link."""
    return any(True for _ in _tokens(text))


def parse_link(token: str, *, max_length: int) -> LinkView:
    """One link of a post. Raises `Bad` with the reason word."""
    platform, path = address(token, max_length=max_length)
    return _x(path) if platform == "x" else _telegram(path)


def address(token: str, *, max_length: int) -> tuple[str, list[str]]:
    """x | telegram, and the parts of its path. Raises `Bad` with the reason word."""
    if len(token) > max_length:
        raise Bad("too_long")
    if any(ord(letter) < 33 or ord(letter) == 127 for letter in token) or "\\" in token:
        raise Bad("malformed")
    whole = token if "://" in token else f"https://{token}"
    try:
        parts = urlsplit(whole)
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
    except ValueError:
        raise Bad("malformed") from None
    if parts.scheme.lower() not in {"http", "https"}:
        raise Bad("not_supported")
    if "@" in parts.netloc or not host.isascii() or port not in {None, 80, 443}:
        raise Bad("malformed")
    host = host.removeprefix("www.")
    path = [unquote(part) for part in parts.path.split("/") if part]
    if host in _X_HOSTS:
        return "x", path
    if host in _T_HOSTS:
        return "telegram", path
    raise Bad("not_supported")


def link_tokens(text: str) -> list[str]:
    """The words of a message that want to be links."""
    return _tokens(text)


def _tokens(text: str) -> list[str]:
    tokens = []
    for word in _BETWEEN.split(text):
        token = _bare(word)
        if token and _WANTS.match(token):
            tokens.append(token)
    return tokens


def _bare(word: str) -> str:
    """The word without what stands around it: brackets, full stops, and the emoji people put behind a link."""
    token = word.strip().lstrip(_OPENING)
    while token and (
        token[-1] in _CLOSING or (not token[-1].isascii() and unicodedata.category(token[-1])[0] in "SPMC")
    ):
        token = token[:-1]
    return token


def _x(path: list[str]) -> LinkView:
    """/<user>/status/<id>[/photo/1], /<user>/statuses/<id>, /i/status/<id>, /i/web/status/<id>."""
    if path[:2] == ["i", "web"]:
        path = ["i", *path[2:]]
    if len(path) < 3 or path[1].lower() not in {"status", "statuses"}:
        raise Bad("not_a_post")
    user, post = path[0], path[2]
    if not _HANDLE.fullmatch(user) or not _NUMBER.fullmatch(post):
        raise Bad("malformed")
    return LinkView("x", f"https://x.com/{user}/status/{post}", user, post)


def _telegram(path: list[str]) -> LinkView:
    """/<channel>/<post>, /<channel>/<topic>/<post>, /s/<channel>/<post>, /c/<id>/<post>, /c/<id>/<topic>/<post>."""
    if path[:1] == ["s"]:
        path = path[1:]
    if path and (path[0].startswith("+") or path[0].lower() == "joinchat"):
        raise Bad("private")
    if path[:1] == ["c"]:
        if len(path) not in {3, 4} or not all(_NUMBER.fullmatch(part) for part in path[1:]):
            raise Bad("not_a_post")
        return LinkView("telegram", f"https://t.me/c/{path[1]}/{path[-1]}", f"c/{path[1]}", path[-1])
    if len(path) not in {2, 3} or not all(_NUMBER.fullmatch(part) for part in path[1:]):
        raise Bad("not_a_post")
    if not _CHANNEL.fullmatch(path[0]):
        raise Bad("malformed")
    return LinkView("telegram", f"https://t.me/{path[0]}/{path[-1]}", path[0], path[-1])


def comment_of(token: str) -> str:
    """``?comment=45``: a comment under a Telegram post has the link of the post and a number of its own. One number,
    one way to write it, so that one comment has one name. Empty without one."""
    try:
        given = parse_qs(urlsplit(token.strip("<>()[].,;")).query).get("comment", [""])[0]
    except ValueError:
        return ""
    return f"?comment={given}" if _NUMBER.fullmatch(given) else ""


def _shown(token: str) -> str:
    return token if len(token) <= 80 else f"{token[:77]}..."
