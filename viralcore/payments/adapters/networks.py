"""The networks that are built, and how a node of each is put together from settings."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from viralcore.core.addresses import canonical_address
from viralcore.core.http import HttpClients, ProviderClient
from viralcore.payments.adapters.aptos import AptosHttp, AptosNode
from viralcore.payments.adapters.bsc import BscNode
from viralcore.payments.adapters.json_rpc import JsonRpcNode
from viralcore.payments.adapters.nodes import NodesChain
from viralcore.payments.adapters.solana import SolanaNode
from viralcore.payments.adapters.tron import TronNode
from viralcore.payments.adapters.tron_http import TronHttp
from viralcore.payments.config import Network, PaymentsConfig
from viralcore.payments.ports import Chain, Node

log = structlog.get_logger(__name__)


def chains(http: HttpClients, config: PaymentsConfig) -> dict[str, Chain]:
    """A chain for each network that is switched on and has an address and nodes."""
    found: dict[str, Chain] = {}
    for network, settings in config.networks.items():
        address, urls = config.deposit_address(network), config.node_urls(network)
        if not settings.enabled or address is None or not urls:
            continue
        nodes = [
            NODES[network](f"{network}-{number}", _client(http, network, url, settings), address, settings, config)
            for number, url in enumerate(urls, start=1)
        ]
        if len(nodes) < 2:
            log.warning("only_one_node", network=network, consequence="large payments are read twice, a minute apart")
        found[network] = NodesChain(network, nodes, lag=settings.lag_span, rest_seconds=settings.rest_seconds)
    return found


def _client(http: HttpClients, network: str, url: str, settings: Network) -> ProviderClient:
    return http.provider(
        network,
        url,
        pace_per_second=settings.requests_per_second,
        parallelism=settings.requests_at_once,
        connect_timeout=settings.connect_seconds,
        read_timeout=settings.read_seconds,
        breaker_failures=settings.breaker_failures,
        breaker_seconds=settings.breaker_seconds,
    )


def _contracts(network: str, settings: Network) -> dict[str, int]:
    """Token contracts we take, canonical, with their decimals."""
    return {
        canonical_address(network, each.contract): each.decimals for each in settings.assets.values() if each.contract
    }


def _bsc(name: str, client: ProviderClient, ours: str, settings: Network, config: PaymentsConfig) -> Node:
    return BscNode(
        JsonRpcNode(name, client),
        chain_id=settings.chain_id,
        ours=ours,
        contracts=_contracts("bsc", settings),
        batch_blocks=settings.batch_blocks,
        batch_receipts=settings.batch_receipts,
    )


def _solana(name: str, client: ProviderClient, ours: str, settings: Network, config: PaymentsConfig) -> Node:
    return SolanaNode(
        JsonRpcNode(name, client),
        genesis=settings.genesis,
        ours=ours,
        contracts=_contracts("solana", settings),
        overlap=settings.overlap_span,
    )


def _tron(name: str, client: ProviderClient, ours: str, settings: Network, config: PaymentsConfig) -> Node:
    key = config.trx_grid_api_key.get_secret_value() if config.trx_grid_api_key else None
    return TronNode(
        TronHttp(name, client, key=key),
        chain_id=settings.chain_id,
        ours=ours,
        contracts=_contracts("tron", settings),
        overlap=settings.overlap_span,
        pages=settings.list_pages,
    )


def _aptos(name: str, client: ProviderClient, ours: str, settings: Network, config: PaymentsConfig) -> Node:
    http = AptosHttp(name, client)
    return AptosNode(http, chain_id=settings.chain_id, ours=ours, contracts=_contracts("aptos", settings))


NODES: dict[str, Callable[[str, ProviderClient, str, Network, PaymentsConfig], Node]] = {
    "bsc": _bsc,
    "solana": _solana,
    "tron": _tron,
    "aptos": _aptos,
}
"""How a node of each network is built: name, client, our address, and the settings."""
