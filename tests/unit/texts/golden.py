"""Screens as readable text, compared with what is kept in tests/fixtures/screens.

One file per function of `texts`, one section per case. Written anew with ``UPDATE_GOLDEN=1``; read the difference
before committing it, aloud.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

from viralcore.core.screen import Action, Button, Screen

FOLDER = Path(__file__).resolve().parents[2] / "fixtures" / "screens"
Said = Screen | str | tuple[str, str]
"""What a function of `texts` makes: a screen, a sentence (Html or plain), or two words of a line."""
Cases = Mapping[str, Mapping[str, Said]]
"""function name -> case -> what it made."""


def golden(name: str, cases: Mapping[str, Said]) -> tuple[str, str]:
    """What the cases read now, and what is kept; the same when they are being written anew."""
    now = "\n".join(f"════ {case}\n{rendered(said)}\n" for case, said in cases.items())
    path = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        FOLDER.mkdir(parents=True, exist_ok=True)
        path.write_text(now)
    return now, path.read_text() if path.exists() else ""


def rendered(said: Said) -> str:
    """The text as it is sent, then the buttons, one a line; a row ends with an empty line."""
    if not isinstance(said, Screen):
        return said if isinstance(said, str) else " · ".join(said)
    head = [f"(picture {said.picture.kind}: {said.picture.data})"] if said.picture else []
    foot = [f"(route {said.route})"] if said.route else []
    rows = "\n\n".join("\n".join(_button(button) for button in row) for row in said.rows)
    return "\n".join([*head, said.text, "────", rows, *foot])


def _button(button: Button) -> str:
    target = _action(button.action) if button.action else button.url or f"copies {button.copy}"
    return f"[{button.label}] {target}"


def _action(act: Action) -> str:
    return " ".join([act.CODE, *(str(getattr(act, field.name)) for field in fields(act))])
