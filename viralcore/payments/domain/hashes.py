"""Reading what people paste as a transaction hash: every spelling of one hash becomes one canonical text, or a reason.

Nothing pasted is ever fetched: an explorer's address is only read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from viralcore.payments.api import BadHash

LONGEST = 2000
_HEX_HASH = re.compile(r"(?<![0-9a-zA-Z])(?:0[xX])?([0-9a-fA-F]{64})(?![0-9a-zA-Z])")
_EVM_ADDRESS = re.compile(r"(?<![0-9a-zA-Z])0[xX][0-9a-fA-F]{40}(?![0-9a-zA-Z])")
_BASE58 = r"[1-9A-HJ-NP-Za-km-z]"
_SOLANA_HASH = re.compile(rf"(?<![0-9a-zA-Z]){_BASE58}{{80,90}}(?![0-9a-zA-Z])")
_BASE58_ADDRESS = re.compile(rf"(?<![0-9a-zA-Z])(?:T{_BASE58}{{33}}|{_BASE58}{{32,44}})(?![0-9a-zA-Z])")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_INVISIBLE = dict.fromkeys([0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x200E, 0x200F])

_EXPLORERS = {
    "bsc": ("bscscan.com", "bsctrace.com", "bnbscan.com"),
    "other": (
        "etherscan.io",
        "polygonscan.com",
        "arbiscan.io",
        "basescan.org",
        "snowtrace.io",
        "ftmscan.com",
        "tronscan.org",
        "tronscan.io",
        "solscan.io",
        "solana.fm",
        "explorer.solana.com",
        "aptoslabs.com",
        "aptoscan.com",
        "blockchain.com",
        "blockchair.com",
        "mempool.space",
        "opbnbscan.com",
    ),
}


@dataclass(frozen=True, slots=True)
class ChainHash:
    """A canonical hash: for BSC lower case with ``0x``."""

    network: str
    hash: str


def parse_hash(text: str) -> ChainHash:
    """The one transaction hash in a pasted text. Raises BadHash(reason): garbage, address, other_network."""
    if len(text) > LONGEST:
        raise BadHash(reason="garbage")
    clean = text.translate(_INVISIBLE).strip()
    if any(_explorer(match.group()) == "other" for match in _URL.finditer(clean)):
        raise BadHash(reason="other_network")
    found = {match.group(1).lower() for match in _HEX_HASH.finditer(clean)}
    if not found and (whole := _HEX_HASH.fullmatch("".join(clean.split()))):
        found.add(whole.group(1).lower())  # one hash and nothing else, broken over lines by whoever copied it
    if len(found) == 1:
        return ChainHash(network="bsc", hash="0x" + found.pop())
    if found:
        raise BadHash(reason="garbage")
    if _SOLANA_HASH.search(clean):
        raise BadHash(reason="other_network")
    if _EVM_ADDRESS.search(clean) or _BASE58_ADDRESS.search(clean):
        raise BadHash(reason="address")
    raise BadHash(reason="garbage")


def _explorer(url: str) -> str | None:
    """``bsc``, ``other`` (a network that is not ours, or a test network), or None for a host we do not know."""
    try:
        host = (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return None
    if "testnet" in host:
        return "other"
    for network, names in _EXPLORERS.items():
        if any(host == name or host.endswith("." + name) for name in names):
            return network
    return None
