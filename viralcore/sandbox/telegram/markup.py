"""Telegram's HTML subset: read into text and entities as strictly as Telegram does, and written back safely.

The reader follows the published server source: tags, attributes, entities and every complaint with its byte offset.
Offsets and lengths of entities are in UTF-16 code units, as on the wire.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from viralcore.sandbox.telegram.errors import bad_request

Entity = dict[str, Any]

_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "u": "underline",
    "ins": "underline",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "tg-emoji": "custom_emoji",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_NAMED = {b"lt": "<", b"gt": ">", b"amp": "&", b"quot": '"'}
_CHARACTER = re.compile(rb"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(lt|gt|amp|quot));?")
_SPACE = b" \t\r\n\0\v"
_TAG_OF = {
    "bold": ("<b>", "</b>"),
    "italic": ("<i>", "</i>"),
    "strikethrough": ("<s>", "</s>"),
    "underline": ("<u>", "</u>"),
    "spoiler": ("<tg-spoiler>", "</tg-spoiler>"),
    "code": ("<code>", "</code>"),
    "pre": ("<pre>", "</pre>"),
    "blockquote": ("<blockquote>", "</blockquote>"),
    "expandable_blockquote": ("<blockquote expandable>", "</blockquote>"),
}


def utf16(text: str) -> int:
    """Length in UTF-16 code units: how Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


@dataclass
class _Open:
    tag: str
    argument: str
    offset: int


class _Reader:
    def __init__(self, source: str) -> None:
        self.data = source.encode()
        self.at = 0
        self.out: list[str] = []
        self.offset = 0
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def fail(self, reason: str) -> Exception:
        return bad_request(f"can't parse entities: {reason}")

    def peek(self) -> bytes:
        return self.data[self.at : self.at + 1]

    def space(self) -> bool:
        return self.peek() != b"" and self.peek() in _SPACE

    def skip_space(self) -> None:
        while self.space():
            self.at += 1

    def emit(self, text: str) -> None:
        self.out.append(text)
        self.offset += utf16(text)

    def character(self) -> str | None:
        """The character reference at the cursor, consumed; None when there is none Telegram knows."""
        match = _CHARACTER.match(self.data, self.at)
        if match is None:
            return None
        hexadecimal, number, name = match.groups()
        code = int(hexadecimal, 16) if hexadecimal else int(number) if number else ord(_NAMED[name])
        if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
            return None
        self.at = match.end()
        return chr(code)

    def read(self) -> None:
        while self.at < len(self.data):
            byte = self.peek()
            if byte == b"<":
                if self.data[self.at + 1 : self.at + 2] == b"/":
                    self.end_tag()
                else:
                    self.start_tag()
                continue
            if byte == b"&":
                found = self.character()
                if found is not None:
                    self.emit(found)
                    continue
                self.at += 1
                self.emit("&")
                continue
            stop = min(
                (p for p in (self.data.find(b"<", self.at), self.data.find(b"&", self.at)) if p >= 0), default=-1
            )
            chunk = self.data[self.at : stop if stop >= 0 else len(self.data)]
            self.emit(chunk.decode())
            self.at += len(chunk)
        if self.open:
            raise self.fail(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')

    def start_tag(self) -> None:
        begin = self.at
        self.at += 1
        while self.peek() and not self.space() and self.peek() != b">":
            self.at += 1
        if not self.peek():
            raise self.fail(f"Unclosed start tag at byte offset {begin}")
        tag = self.data[begin + 1 : self.at].decode(errors="replace").lower()
        if tag not in _KINDS:
            raise self.fail(f'Unsupported start tag "{tag}" at byte offset {begin}')
        argument = ""
        while True:
            self.skip_space()
            if self.peek() == b">":
                break
            name, value = self.attribute(tag, begin)
            argument = _argument(tag, name, value) or argument
        self.at += 1
        if tag == "span" and argument != "spoiler":
            raise self.fail(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.open.append(_Open(tag, argument, self.offset))

    def attribute(self, tag: str, begin: int) -> tuple[str, str]:
        start = self.at
        while self.peek() and not self.space() and self.peek() not in (b"=", b">"):
            self.at += 1
        name = self.data[start : self.at].decode(errors="replace").lower()
        if not self.peek():
            raise self.fail(f'Unclosed start tag "{tag}" at byte offset {begin}')
        if not name:
            raise self.fail(f'Empty attribute name in the tag "{tag}" at byte offset {begin}')
        self.skip_space()
        if self.peek() != b"=":
            if tag == "blockquote" and name == "expandable":
                return name, ""
            raise self.fail(
                f'Expected equal sign in declaration of an attribute of the tag "{tag}" at byte offset {begin}'
            )
        self.at += 1
        self.skip_space()
        if not self.peek():
            raise self.fail(f'Unclosed start tag "{tag}" at byte offset {begin}')
        value = self.quoted() if self.peek() in (b"'", b'"') else self.token()
        if not self.peek():
            raise self.fail(f'Unclosed start tag "{tag}" at byte offset {begin}')
        return name, value

    def token(self) -> str:
        start = self.at
        while self.peek() and (self.peek().isalnum() or self.peek() in (b".", b"-")):
            self.at += 1
        if self.peek() and not self.space() and self.peek() != b">":
            raise self.fail(f"Unexpected end of name token at byte offset {start}")
        return self.data[start : self.at].decode().lower()

    def quoted(self) -> str:
        quote = self.peek()
        self.at += 1
        value: list[bytes] = []
        while self.peek() and self.peek() != quote:
            found = self.character() if self.peek() == b"&" else None
            if found is None:
                value.append(self.peek())
                self.at += 1
            else:
                value.append(found.encode())
        self.at += 1
        return b"".join(value).decode()

    def end_tag(self) -> None:
        begin = self.at
        if not self.open:
            raise self.fail(f"Unexpected end tag at byte offset {begin}")
        self.at += 2
        while self.peek() and not self.space() and self.peek() != b">":
            self.at += 1
        found = self.data[begin + 2 : self.at].decode(errors="replace").lower()
        self.skip_space()
        if self.peek() != b">":
            raise self.fail(f"Unclosed end tag at byte offset {begin}")
        self.at += 1
        top = self.open[-1]
        if found and found != top.tag:
            raise self.fail(f'Unmatched end tag at byte offset {begin}, expected "</{top.tag}>", found "</{found}>"')
        self.open.pop()
        if self.offset > top.offset:
            self.close(top)

    def close(self, opened: _Open) -> None:
        entity: Entity = {
            "offset": opened.offset,
            "length": self.offset - opened.offset,
            "type": _KINDS[opened.tag],
        }
        if opened.tag == "a":
            text = "".join(self.out).encode("utf-16-le")[opened.offset * 2 :].decode("utf-16-le")
            url = opened.argument or text
            if not re.match(r"^(https?|tg|ftp|tonsite)://|^mailto:", url, re.IGNORECASE):
                if "." not in url or re.search(r"\s", url):
                    return  # an address Telegram cannot read leaves plain text
                url = f"http://{url}"
            entity["url"] = url
        elif opened.tag == "blockquote" and opened.argument:
            entity["type"] = "expandable_blockquote"
        elif opened.tag == "code" and opened.argument and self.open and self.open[-1].tag == "pre":
            self.open[-1].argument = opened.argument
            return
        elif opened.tag == "pre" and opened.argument:
            entity["language"] = opened.argument
        elif opened.tag == "tg-emoji":
            entity["custom_emoji_id"] = opened.argument
        self.entities.append(entity)


def _argument(tag: str, name: str, value: str) -> str:
    """What a tag keeps of an attribute; everything else is read and dropped, as Telegram does."""
    if (tag, name) in (("a", "href"), ("tg-emoji", "emoji-id")):
        return value
    if (tag, name) == ("code", "class") and value.startswith("language-"):
        return value.removeprefix("language-")
    if (tag, name) == ("span", "class") and value.startswith("tg-"):
        return value.removeprefix("tg-")
    return "1" if (tag, name) == ("blockquote", "expandable") else ""


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """Text and entities of an HTML message, trimmed as Telegram trims. Raises ApiError 400 in Telegram's words."""
    reader = _Reader(source)
    reader.read()
    entities = sorted(reader.entities, key=lambda e: (e["offset"], -e["length"]))
    return trim("".join(reader.out), entities)


def trim(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Drop the white space around a text and move its entities along."""
    left = utf16(text) - utf16(text.lstrip())
    stripped = text.strip()
    size = utf16(stripped)
    kept = []
    for entity in entities:
        start = max(entity["offset"] - left, 0)
        end = min(entity["offset"] + entity["length"] - left, size)
        if end > start:
            kept.append({**entity, "offset": start, "length": end - start})
    return stripped, kept


_FOUND = re.compile(
    r"(?P<url>https?://[^\s<>\"]+|(?<![\w@/.])(?:[a-z0-9-]+\.)+(?:com|org|net|me|io|dog|ng|app)(?:/[^\s<>\"]*)?)"
    r"|(?<![\w/<>])(?P<bot_command>/[a-z0-9_]{1,32}(?:@\w{5,32})?)(?![\w/<>])"
    r"|(?<!\w)(?P<mention>@[a-z]\w{3,31})"
    r"|(?<!\w)(?P<hashtag>#\w+)",
    re.IGNORECASE,
)


def found_entities(text: str, taken: list[Entity] | None = None) -> list[Entity]:
    """Links, commands and mentions Telegram finds in a text by itself, outside the entities already `taken`."""
    entities: list[Entity] = []
    for match in _FOUND.finditer(text):
        kind = match.lastgroup
        value = match.group().rstrip(".,:;!?)") if kind == "url" else match.group()
        offset, length = utf16(text[: match.start()]), utf16(value)
        clash = any(
            e["offset"] < offset + length
            and offset < e["offset"] + e["length"]
            and e["type"] in ("code", "pre", "text_link")
            for e in taken or ()
        )
        if not clash and kind is not None:
            entities.append({"offset": offset, "length": length, "type": kind})
    return entities


def to_html(text: str, entities: list[Entity]) -> str:
    """Safe HTML of a text: Telegram's own tags for its entities, everything else escaped."""
    units = text.encode("utf-16-le")

    def piece(start: int, end: int) -> str:
        return units[start * 2 : end * 2].decode("utf-16-le", errors="replace")

    def write(start: int, end: int, inside: list[Entity]) -> str:
        parts: list[str] = []
        at, index = start, 0
        while index < len(inside):
            entity = inside[index]
            stop = min(entity["offset"] + entity["length"], end)
            index += 1
            if entity["offset"] < at:
                continue  # overlaps what was written: entities of one text are nested or apart
            nested = []
            while index < len(inside) and inside[index]["offset"] < stop:
                nested.append(inside[index])
                index += 1
            before, after = _tags(entity, piece(entity["offset"], stop))
            parts.append(html.escape(piece(at, entity["offset"])))
            parts.append(before + write(entity["offset"], stop, nested) + after)
            at = stop
        parts.append(html.escape(piece(at, end)))
        return "".join(parts)

    ordered = sorted(entities, key=lambda e: (e["offset"], -e["length"]))
    return write(0, len(units) // 2, ordered)


def _tags(entity: Entity, text: str) -> tuple[str, str]:
    kind = entity["type"]
    if kind == "text_link":
        return f'<a href="{html.escape(entity["url"])}">', "</a>"
    if kind == "url":
        url = text if "://" in text else f"https://{text}"
        return f'<a href="{html.escape(url)}">', "</a>"
    return _TAG_OF.get(kind, ("", ""))
