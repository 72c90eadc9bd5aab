"""The rules of the crowd, pure: who is asked for how much, in which order, and what proves a reply.

Who moves what, what is stored before each step, and what a death of the process leaves. Locks: order, post, claim.

**Post** (one for each order the groups work at) ``open -> review -> closed``, ``open -> closed``:
- opened with its order, in that transaction; its messages are rows with a due moment and a group, given out in rotation
  under the pointer's lock.
- ``open -> review``: its time is over (`open_hours` after the first message stood in a group; after opening when none
  ever did) while proofs wait for staff. Nobody claims any longer, claims without proof end.
- ``-> closed``: everything wanted is approved; or its time is over and nothing waits; or `review_hours` have passed.
  The same transaction tells the delivery what was approved, which refunds the rest by its share. Also when the order is
  cancelled, which a buyer may do until somebody has claimed.
- ``open -> review``, to staff: there has been no comment group for `without_groups_minutes`. Nobody claims any longer;
  who has claimed may still prove it, and staff decide. With the last of them (or after `review_hours`) the post closes,
  and lines that lack something get a card of the team, with what was approved counted on it: one engine after the
  other, never two at one line. If no staff stand behind the groups, it waits and is refunded as above.

**Message** ``waiting -> sending -> sent``; ``waiting | sending -> skipped | failed`` (the bot is out of the group, or
the message could not be sent: the next group in the rotation that has not seen the post gets the share);
``waiting -> cancelled``. What is sent is a notice, repeated on silence: after a death between send and record a group
may see a post twice; slots are counted by post, so nothing is paid twice.

**Verified accounts**: of a part so many must come from them. Everybody else has the slots beside those. A person says
it when they claim; whoever approves says whether it is so, and a reply that was not does not count beyond those slots.

**Claim** ``claimed -> submitted -> approved | rejected``; ``claimed -> expired``; ``expired | rejected -> claimed``
while the post is open (`tries` limits the latter). One row for each person and post; slots are counted under the post's
lock, so the last one goes to one person. What they do is fixed when proof is handed in, and a decision names the
version of the proof it was made about: nothing can be put in its place under the eyes of whoever decides. ``submitted
-> approved`` happens once (guarded, and once a key), with the event that pays reply guys and the count of the order's
line in the same transaction. Approved after its post has closed: paid, and no longer counted, for its share was
refunded or is the team's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from viralcore.boosts.api import BadProof, LinkView, Metric
from viralcore.boosts.domain.links import Bad, address, comment_of, link_tokens, parse_link

METRICS: tuple[Metric, ...] = ("comments", "reposts", "reactions")
"""What a group can do, in the order in which slots are offered."""
COMMENTS: Metric = "comments"
SHORTEST_REASON, LONGEST_REASON = 3, 200
_NAME = re.compile(r"[A-Za-z0-9_]{1,32}")


def groups_needed(comments: int, per_group: int, groups: int) -> int:
    """One group for `per_group` comments, at least one, at most all there are."""
    return min(groups, max(1, -(-comments // per_group)))


def shares(comments: int, groups: int) -> list[int]:
    """Comments asked of each group, as even as can be, the first ones more."""
    return [comments // groups + (1 if number < comments % groups else 0) for number in range(groups)]


def rotation(groups: Sequence[int], pointer: int, seen: Collection[int] = ()) -> list[int]:
    """Group ids in the order in which their turn comes after `pointer`, without those who have had it."""
    ordered = sorted(groups)
    after = [group for group in ordered if group > pointer] + [group for group in ordered if group <= pointer]
    return [group for group in after if group not in seen]


@dataclass(frozen=True, slots=True)
class Proof:
    """A link handed in. `name`: one name for the same reply, however its link was written. `reply`: it is one; else it
    is a profile, which proves a repost and is good for one post."""

    link: str
    name: str
    reply: bool


def read_proofs(
    text: str, *, post: LinkView, post_id: int, metrics: Collection[str], limit: int, max_length: int
) -> tuple[Proof, ...]:
    """The links in a message, as proof of what was done for a post. Raises BadProof."""
    found: dict[str, Proof] = {}
    for token in link_tokens(text):
        proof = _proof(token, post, post_id, max_length)
        found.setdefault(proof.name, proof)
    if not found:
        raise BadProof(reason="no_link", link="", limit=limit)
    if len(found) > limit:
        raise BadProof(reason="too_many", link="", limit=limit)
    if COMMENTS in metrics and not any(proof.reply for proof in found.values()):
        raise BadProof(reason="no_reply", link="", limit=limit)
    return tuple(found.values())


def _proof(token: str, post: LinkView, post_id: int, max_length: int) -> Proof:
    try:
        link = parse_link(token, max_length=max_length)
    except Bad:
        profile = _profile(token, max_length)
        if profile is None:
            raise BadProof(reason="not_supported", link=token[:80], limit=0) from None
        return Proof(profile, f"post:{post_id}:{profile.lower()}", reply=False)
    if link.platform != post.platform:
        raise BadProof(reason="other_platform", link=link.canonical, limit=0)
    comment = comment_of(token) if link.platform == "telegram" else ""
    if link.post == post.post and not comment:
        raise BadProof(reason="the_post", link=link.canonical, limit=0)
    return Proof(link.canonical + comment, link.post + comment, reply=True)


def _profile(token: str, max_length: int) -> str | None:
    """The page of a person, who reposted or reacted: that itself has no link."""
    try:
        platform, path = address(token, max_length=max_length)
    except Bad:
        return None
    host = "x.com" if platform == "x" else "t.me"
    return f"https://{host}/{path[0]}" if len(path) == 1 and _NAME.fullmatch(path[0]) else None
