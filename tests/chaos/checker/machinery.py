"""Inbox, deliveries and effects: nothing is left, nothing was lost, nothing was done twice."""

from __future__ import annotations

from collections import Counter

from tests.chaos.checker.evidence import Evidence

LEFT = {
    "an update is not handled": "SELECT external_id, state, attempts, error FROM core.inbox WHERE state <> 'handled'",
    "a delivery is not done": """
        SELECT d.event_id, d.subscriber, d.state, d.attempts, d.error FROM core.deliveries d WHERE d.state <> 'done'""",
    "an effect hangs": """
        SELECT id, kind, key, state, attempts, due, error FROM core.effects
        WHERE state IN ('calling', 'answered', 'held') OR (state = 'queued' AND due IS NULL)""",
    "an unknown send was decided by nobody": """
        SELECT e.id, e.kind, e.key FROM core.effects e JOIN boosts.attempts a
            ON e.key = 'phase:' || a.phase_id || ':a' || a.number
        WHERE e.state = 'unknown' AND a.state IN ('sending', 'unknown')""",
    "a subscriber ran twice for one event": """
        SELECT event_id, subscriber, count(*) AS times FROM chaos.handled GROUP BY 1, 2 HAVING count(*) > 1""",
    "a delivery is done, and its subscriber never ran": """
        SELECT d.event_id, d.subscriber FROM core.deliveries d WHERE d.state = 'done' AND NOT EXISTS (
            SELECT 1 FROM chaos.handled h WHERE h.event_id = d.event_id AND h.subscriber = d.subscriber)""",
    "an event has no delivery": """
        SELECT e.id, e.name FROM core.events e
        WHERE NOT EXISTS (SELECT 1 FROM core.deliveries d WHERE d.event_id = e.id)
            AND e.name IN (SELECT name FROM core.events o JOIN core.deliveries d ON d.event_id = o.id)""",
    "a job is left in the queue": """
        SELECT id, entrypoint, status, encode(payload, 'escape') AS what FROM queue.pgqueuer
        WHERE entrypoint = 'deliver'""",
}


def check(seen: Evidence) -> None:
    for words, statement in LEFT.items():
        for row in seen.ask(statement)[:5]:
            seen.found(f"{words}: { ({k: str(v)[:120] for k, v in row.items()}) }")
    _accepted(seen)


def _accepted(seen: Evidence) -> None:
    """Every update Telegram made is in the inbox, once: nobody was throttled, so everything was accepted."""
    stored = Counter(
        int(row["external_id"].partition("/")[0])
        for row in seen.ask("SELECT external_id FROM core.inbox WHERE source = 'telegram'")
    )
    made = set(range(int(seen.figures["first_update"]), int(seen.figures["last_update"]) + 1))
    lost, strange = made - set(stored), set(stored) - made
    seen.unless(not lost, f"{len(lost)} of {len(made)} updates were lost: {sorted(lost)[:10]}")
    seen.unless(not strange, f"updates nobody made: {sorted(strange)[:10]}")
    twice = [number for number, times in stored.items() if times > 1]
    seen.unless(not twice, f"{len(twice)} updates were taken in twice: {sorted(twice)[:10]}")
    seen.unless(not seen.figures["unconfirmed"], f"{seen.figures['unconfirmed']} updates are not confirmed")
