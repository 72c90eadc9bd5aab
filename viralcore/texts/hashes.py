"""What is known of a pasted hash, in the same words wherever it is told."""

from __future__ import annotations

from collections.abc import Mapping

ICONS: Mapping[str, str] = {"checking": "🔎", "credited": "✅", "not_found": "❔", "refused": "⚠️", "suspense": "📥"}
_CHECKING = {
    "": "We are looking for your transaction now.",
    "unknown_tx": "No node of the network knows this transaction yet. New ones take a moment to appear; we keep "
    "looking.",
    "not_final": "Your transaction is on the network. We wait until it cannot be taken back any more; that takes "
    "seconds to minutes.",
    "node_down": "The network's nodes do not answer us at the moment. We keep asking, and your money is safe.",
    "price": "Your payment is here. We wait for a coin price that we can trust, and then credit it.",
}
_NOT_FOUND = {
    "unknown_tx": "No node of the network knows this transaction, so we stopped looking. Check in your wallet that it "
    "was really sent, and on this network; then paste its hash again. If the exact amount does arrive, it is credited "
    "even without the hash.",
    "node_down": "The network did not answer us for a long time, so we stopped asking. Your money is safe: paste the "
    "hash again and we look once more.",
}
_REFUSED = {
    "failed": "This transaction failed on the network, so no money moved. Send it again, then paste the new hash.",
    "wrong_token": "This transaction moved a token that we do not take. If you sent it to us by mistake, write to "
    "support.",
    "wrong_recipient": "This transaction did not pay our address. Check that you copied the right hash.",
    "self_transfer": "This transaction only moves our own money. Check that you copied the hash of your own transfer.",
    "zero": "This transaction moved no money to us. Check that you copied the hash of your own transfer.",
    "internal": "A smart contract ran in this transaction, and we cannot see for certain whether it sent us coins. "
    "Write to support with the hash: a person will look.",
    "too_old": "This transaction is from before this shop opened. If you think that is wrong, write to support with "
    "the hash.",
    "used": "This transaction has paid an invoice already, and each one counts once. If it was yours, write to support "
    "with the hash.",
}
_SUSPENSE = {
    "ambiguous": "Your payment arrived, but its amount does not tell for certain which invoice it is for. Our finance "
    "team was asked to assign it. Do not pay again: we will tell you here when it is done.",
    "no_invoice": "Your payment arrived, but its amount fits none of your invoices. Our finance team was asked to "
    "assign it. Do not pay again: we will tell you here when it is done.",
    "too_old": "Your payment arrived, but it was sent before the invoice was made. Our finance team was asked to "
    "assign it. Do not pay again: we will tell you here when it is done.",
    "dust": "Your payment arrived, but it is worth less than a cent, the least we can credit. If it was meant to pay "
    "the invoice, send the full amount.",
}
_KNOWN = {"checking": _CHECKING, "not_found": _NOT_FOUND, "refused": _REFUSED, "suspense": _SUSPENSE}
_OTHERWISE = {
    "checking": _CHECKING[""],
    "credited": "Your payment is credited.",
    "suspense": "Your payment arrived. Our finance team was asked to look at it. Do not pay again: we will tell you "
    "here when it is done.",
}


def outcome(state: str, reason: str) -> str:
    """One reason may stand for money that is here, and for money that is not: the state tells which."""
    otherwise = _OTHERWISE.get(
        state, "It was not accepted. If you think that is wrong, write to support with the hash."
    )
    return _KNOWN.get(state, {}).get(reason, otherwise)


def short(tx_hash: str) -> str:
    """Enough of a hash to know it again."""
    return tx_hash if len(tx_hash) <= 20 else f"{tx_hash[:10]}…{tx_hash[-8:]}"
