"""What people and databases could put into a sentence."""

from __future__ import annotations

NAME = "<b>_*Ada*_</b> & \"co\" 'x' {0}"
TITLE = 'Likes & "views" <i>{plan}</i>'
LINK = 'https://t.me/a&b<c>/1?x="y"&lt;'
LONGEST_LINK = "https://x.com/" + "a" * 15 + "/status/" + "9" * 20
CONTACT = "@viralcore_help"
