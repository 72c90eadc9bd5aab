"""Reading /metrics as Prometheus does."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.support.processes import environment

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    """Every sample by its name and labels; a name that comes in two families, or a sample that comes twice, fails."""
    found: Samples = {}
    names: set[str] = set()
    for family in text_string_to_metric_families(text):
        assert family.name not in names, f"{family.name} is told twice"
        assert family.documentation, f"{family.name} says nothing of itself"
        names.add(family.name)
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, f"{key} is told twice"
            found[key] = sample.value
    return found


def value(samples: Samples, name: str, **labels: str) -> float:
    """One sample. Raises KeyError with those of the same name."""
    try:
        return samples[name, frozenset(labels.items())]
    except KeyError:
        raise KeyError(f"{name} {labels}: there are {[dict(key[1]) for key in samples if key[0] == name]}") from None


def total(samples: Samples, name: str, **labels: str) -> float:
    """The sum of all samples of a name that have these labels."""
    return sum(n for key, n in samples.items() if key[0] == name and key[1] >= frozenset(labels.items()))


def labels(samples: Samples, name: str, label: str) -> set[str]:
    """What a label of a name says, over all its samples."""
    return {dict(key[1])[label] for key in samples if key[0] == name}


def scrape(pid: int, until: Callable[[Samples], bool], seconds: float = 30.0) -> Samples:
    """The metrics of a running bot, once they are as wanted: figures are read again every quarter of a minute."""
    port = environment(pid)["HTTP_PORT"]
    deadline = time.monotonic() + seconds
    while True:
        samples = parsed(httpx.get(f"http://127.0.0.1:{port}/metrics", trust_env=False).text)
        if until(samples):
            return samples
        assert time.monotonic() < deadline, sorted(key for key in samples if key[0].startswith("viralcore_payments"))
        time.sleep(0.5)
