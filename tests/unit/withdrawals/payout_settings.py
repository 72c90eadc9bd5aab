"""The real numbers and words of settings/payouts.toml, for tests of what reads them."""

from __future__ import annotations

import tomllib
from pathlib import Path

from viralcore.withdrawals.payout_config import Banks, Payout, Reconciliation, Solvency

_READ = tomllib.loads((Path(__file__).parents[3] / "settings" / "payouts.toml").read_text())
PAYOUT = Payout.model_validate(_READ["payout"])
BANKS = Banks.model_validate(_READ["banks"])
RECONCILIATION = Reconciliation.model_validate(_READ["reconciliation"])
SOLVENCY = Solvency.model_validate(_READ["solvency"])
