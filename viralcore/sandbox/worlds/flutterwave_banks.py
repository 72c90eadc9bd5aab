"""The banks of Nigeria as the API lists them: what was recorded, doubles and odd codes included, and small houses as
there are hundreds. Also whose account a number is: always the same name for the same number.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

_RECORDED = """
825 000019 Enterprise Bank|964 000025 Titan Trust Bank|395 000026 Taj Bank Limited|301 000027 Globus Bank
1977 000029 Lotus Bank|988 000030 Parallex Bank|1318 000031 PremiumTrust Bank|2050 000034 SIGNATURE BANK
2010 000036 Optimus Bank|2298 000037 ALTERNATIVE BANK LIMITED|5 011 First Bank PLC|2 023 Citi Bank
186 030 Heritage Bank|14 032 Union Bank PLC|13 033 United Bank for Africa|15 035 Wema Bank PLC|1 044 Access Bank
4 050 EcoBank PLC|1976 050001 County Finance Ltd|16 057 Zenith Bank|9 058 GTBank Plc|7 070 Fidelity Bank
11 068 Standard Chartered Bank|8 076 Polaris Bank|3 082 Keystone Bank|254 090267 Kuda|639 090328 Eyowo MFB
1864 090405 Moniepoint Microfinance Bank|1733 090551 Fairmoney Microfinance Bank Ltd
2037 090584 ISLAND MICROFINANCE BANK |2041 090584 Island MFB|2044 090590 WAYA MICROFINANCE BANK LTD
2076 090590 Waya Microfinance Bank|2055 090603_ Macrod MFB|231 100 Suntrust Bank|946 100003 Parkway-ReadyCash
1435 100004 Opay|596 100022 GoMoney|818 100026 One Finance|1158 100026 Carbon|990 100033 PALMPAY
1432 100039 PAYSTACK-TITAN|18 101 ProvidusBank PLC|961 110002 Flutterwave Technology Solutions Limited
997 120001 9 Payment Service Bank|1409 120002 Hopepsb|1408 120003 Momo Psb|1406 120004 Smartcash Payment Service Bank
6 214 First City Monument Bank|17 215 Unity Bank PLC|10 221 Stanbic IBTC Bank|12 232 Sterling Bank PLC
184 301 Jaiz Bank|784 305 Paycom|389 327 Paga|259 400001 FSDH Merchant Bank|260 502 Rand merchant Bank
962 999999 NIP Virtual Bank
"""
_PLACES = (
    "Aba", "Abuja", "Adazi", "Afikpo", "Agege", "Ajah", "Akure", "Apapa", "Asaba", "Auchi", "Awka", "Bauchi", "Benin",
    "Bida", "Bonny", "Calabar", "Daura", "Ede", "Ekpoma", "Enugu", "Epe", "Gboko", "Gombe", "Gusau", "Ibadan", "Idanre",
    "Ife", "Ijebu", "Ikare", "Ikeja", "Ikorodu", "Ilaro", "Ilesa", "Ilorin", "Iseyin", "Jalingo", "Jos", "Kaduna",
    "Kano", "Katsina", "Keffi", "Kogi", "Lafia", "Lekki", "Lokoja", "Maiduguri", "Makurdi", "Minna", "Mubi", "Nnewi",
    "Nsukka", "Offa", "Ogbomoso", "Ogoja", "Okene", "Okigwe", "Ondo", "Onitsha", "Oron", "Osogbo", "Owerri", "Owo",
    "Oyo", "Sapele", "Shagamu", "Sokoto", "Suleja", "Ughelli", "Umuahia", "Uyo", "Warri", "Wukari", "Yola", "Zaria",
)  # fmt: skip
_KINDS = (
    "Community Microfinance Bank", "Traders MFB", "Unity Microfinance Bank Ltd", "COOPERATIVE MICROFINANCE BANK",
    "Farmers MFB", "Prime Mortgage Bank", "Trust Finance Ltd", "Polytechnic Microfinance Bank",
)  # fmt: skip
_SKIP = 1000  # generated rows have ids from here on, between and beyond the recorded ones
ROWS = 600

TEST_BANK, TEST_NAMES = (
    "044",
    {"0690000031": "Forrest Green", "0690000032": "Pastor Bright", "0690000040": "Alexis Sanchez"},
)
_FIRST = (
    "ADAEZE",
    "BOLA",
    "CHIDI",
    "DAMILOLA",
    "EMEKA",
    "FATIMA",
    "GRACE",
    "HASSAN",
    "IFEOMA",
    "JOHN",
    "KEMI",
    "LANRE",
)
_LAST = (
    "ADEYI",
    "BELLO",
    "CHUKWU",
    "DANJUMA",
    "EZE",
    "FASHOLA",
    "IBRAHIM",
    "MUSA",
    "NWOSU",
    "OKORO",
    "OLÁDÍPỌ̀",
    "YUSUF",
)
INVALID = "Sorry, recipient account could not be validated. Please try again"
INVALID_TOO = "Sorry, that account number is invalid, please check and try again"


@dataclass(frozen=True, slots=True)
class BankRow:
    id: int
    code: str
    name: str


@cache
def banks() -> tuple[BankRow, ...]:
    """All rows, sorted by code as text. One code ends in a blank."""
    rows = []
    for item in _RECORDED.replace("\n", "|").split("|"):
        if item.strip():
            row_id, told, name = item.split(" ", 2)
            rows.append(BankRow(int(row_id), told.replace("_", " "), name))
    taken, codes = {row.id for row in rows}, {row.code.strip() for row in rows}
    number, code = _SKIP, 90_001
    for kind in _KINDS:
        for place in _PLACES:
            if len(rows) >= ROWS:
                break
            number, code = number + 1, code + 1
            while number in taken:
                number += 1
            while f"{code:06d}" in codes:
                code += 1
            rows.append(BankRow(number, f"{code:06d}", f"{place} {kind}"))
    return tuple(sorted(rows, key=lambda row: (row.code, row.id)))


@cache
def _names() -> dict[str, str]:
    return {row.code.strip(): row.name for row in reversed(banks())}


def bank_name(code: str) -> str | None:
    """What a transfer's record calls a bank; None: no bank has this code, blanks and names included."""
    return _names().get(code)


def holder(code: str, number: str) -> str | None:
    """Whose account it is. None: nobody's. Numbers of one digit only and those ending in 98 or 99 are nobody's."""
    if bank_name(code) is None or not is_nuban(number) or len(set(number)) == 1 or number[-2:] in ("98", "99"):
        return None
    if code == TEST_BANK and number in TEST_NAMES:
        return TEST_NAMES[number]
    seed = hashlib.sha256(f"{code}:{number}".encode()).digest()
    return f"{_FIRST[seed[0] % len(_FIRST)]} {_LAST[seed[1] % len(_LAST)]}"


def refusal(number: str) -> str:
    """Which of the two sentences says that there is no such account."""
    return INVALID_TOO if number.endswith("98") or not is_nuban(number) else INVALID


def is_nuban(number: str) -> bool:
    return len(number) == 10 and number.isascii() and number.isdigit()
