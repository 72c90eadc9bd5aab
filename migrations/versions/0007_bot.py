"""bot: the home message of each chat, open questions, pictures Telegram already has."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

_UP = """
CREATE SCHEMA bot;

CREATE TABLE bot.homes (
    chat_id     bigint PRIMARY KEY,
    message_id  bigint NOT NULL,
    nonce       text NOT NULL,
    prev_nonce  text NOT NULL,
    route       text NOT NULL,
    update_id   bigint NOT NULL,
    digest      text NOT NULL,
    picture     text NOT NULL
);
COMMENT ON TABLE bot.homes IS 'The one message of a private chat that presses edit, and what it shows.';

CREATE TABLE bot.dialogues (
    chat_id    bigint NOT NULL,
    user_id    bigint NOT NULL,
    question   text NOT NULL,
    data       jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    update_id       bigint NOT NULL,
    before_question text NOT NULL,
    before_data     jsonb NOT NULL,
    PRIMARY KEY (chat_id, user_id)
);
COMMENT ON TABLE bot.dialogues IS 'The question that waits for an answer (empty: none). expires_at is business time. '
    'update_id: the update that changed this row last; before_*: what it found, for when it is handled again.';

CREATE TABLE bot.pictures (
    kind    text NOT NULL,
    data    text NOT NULL,
    file_id text NOT NULL,
    PRIMARY KEY (kind, data)
);
COMMENT ON TABLE bot.pictures IS 'Pictures that Telegram keeps for us, by recipe.';

GRANT USAGE ON SCHEMA bot TO viralcore_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA bot TO viralcore_app;
"""


def upgrade() -> None:
    op.execute(_UP)


def downgrade() -> None:
    op.execute("DROP SCHEMA bot CASCADE")
