"""Reading what people paste as a transaction hash: every spelling of one hash becomes one canonical text, or a reason.

A hash of 64 hex digits does not say whose it is: BSC, Aptos and Tron all have them. What it could be is told in the
order of likelihood; an explorer's address, or the network a person was asked to pay on, decides. Nothing pasted is
ever fetched: an explorer's address is only read.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import base58

from viralcore.payments.api import BadHash

LONGEST = 2000
_HEX_HASH = re.compile(r"(?<![0-9a-zA-Z])(0[xX])?([0-9a-fA-F]{64})(?![0-9a-zA-Z])")
_EVM_ADDRESS = re.compile(r"(?<![0-9a-zA-Z])0[xX][0-9a-fA-F]{40}(?![0-9a-zA-Z])")
_BASE58 = r"[1-9A-HJ-NP-Za-km-z]"
_SOLANA_HASH = re.compile(rf"(?<![0-9a-zA-Z]){_BASE58}{{64,88}}(?![0-9a-zA-Z])")
_BASE58_ADDRESS = re.compile(rf"(?<![0-9a-zA-Z])(?:T{_BASE58}{{33}}|{_BASE58}{{32,44}})(?![0-9a-zA-Z])")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_INVISIBLE = dict.fromkeys([0x00AD, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF, 0x200E, 0x200F])
_TEST_NETWORKS = ("testnet", "devnet", "nile.", "shasta.", "localnet", "previewnet")

_EXPLORERS = {
    "bsc": ("bscscan.com", "bsctrace.com", "bnbscan.com"),
    "tron": ("tronscan.org", "tronscan.io"),
    "solana": ("solscan.io", "solana.fm", "explorer.solana.com", "solanabeach.io", "xray.helius.xyz"),
    "aptos": ("explorer.aptoslabs.com", "aptoscan.com", "tracemove.io"),
    "other": (
        "etherscan.io",
        "polygonscan.com",
        "arbiscan.io",
        "basescan.org",
        "snowtrace.io",
        "ftmscan.com",
        "blockchain.com",
        "blockchair.com",
        "mempool.space",
        "opbnbscan.com",
    ),
}


@dataclass(frozen=True, slots=True)
class ChainHash:
    """A canonical hash (APIS 10): hex in lower case, with ``0x`` on BSC and Aptos and without on Tron; on Solana base58
    as it stands, capitals and all."""

    network: str
    hash: str


def parse_hash(text: str, networks: Collection[str]) -> tuple[ChainHash, ...]:
    """What the one transaction hash in a pasted text can be on the networks offered, the likeliest first.

    Raises BadHash(reason): garbage, address, other_network.
    """
    if len(text) > LONGEST:
        raise BadHash(reason="garbage")
    clean = text.translate(_INVISIBLE).strip()
    named = {where for match in _URL.finditer(clean) if (where := _explorer(match.group())) is not None}
    if "other" in named or len(named) > 1:
        raise BadHash(reason="other_network")
    found = _hex(clean) or _base58(clean)
    if not found:
        is_address = _EVM_ADDRESS.search(clean) or _BASE58_ADDRESS.search(clean)
        raise BadHash(reason="address" if is_address else "garbage")
    possible = [each for each in found if not named or each.network in named]
    offered = tuple(each for each in possible if each.network in networks)
    if not offered:
        raise BadHash(reason="other_network")
    return offered


def _hex(clean: str) -> list[ChainHash]:
    """Raises BadHash when there are several."""
    found = {match.group(2).lower(): bool(match.group(1)) for match in _HEX_HASH.finditer(clean)}
    if not found and (whole := _HEX_HASH.fullmatch("".join(clean.split()))):
        found = {whole.group(2).lower(): bool(whole.group(1))}  # broken over lines by whoever copied it
    if not found:
        return []
    if len(found) > 1:
        raise BadHash(reason="garbage")
    ((digits, prefixed),) = found.items()
    order = ("bsc", "aptos", "tron") if prefixed else ("tron", "bsc", "aptos")
    return [ChainHash(network, digits if network == "tron" else f"0x{digits}") for network in order]


def _base58(clean: str) -> list[ChainHash]:
    """A Solana signature: 64 bytes. Raises BadHash when there are several."""
    found = set(_SOLANA_HASH.findall(clean))
    if not found and re.fullmatch(rf"(?:{_BASE58}|\s)+", clean) and 64 <= len("".join(clean.split())) <= 88:
        found = {"".join(clean.split())}
    found = {each for each in found if len(base58.b58decode(each)) == 64}
    if len(found) > 1:
        raise BadHash(reason="garbage")
    return [ChainHash("solana", base58.b58encode(base58.b58decode(each)).decode()) for each in found]


def _explorer(url: str) -> str | None:
    """A network of ours, ``other`` (a network that is not ours, or a test network), or None for a host we do not
    know."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    query = parse_qs(parts.query) | parse_qs(urlsplit(parts.fragment).query)
    asked = " ".join([host, *query.get("cluster", ()), *query.get("network", ())]).lower()
    known = next(
        (network for network, names in _EXPLORERS.items() if any(host == n or host.endswith("." + n) for n in names)),
        None,
    )
    if any(word in asked for word in _TEST_NETWORKS) and (known or "testnet" in host):
        return "other"
    return known
