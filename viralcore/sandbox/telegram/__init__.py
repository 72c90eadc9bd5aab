"""A strict Telegram: the Bot API over its real wire format, for as long as the supervisor lives."""
