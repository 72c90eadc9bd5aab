"""Rules and state machines of withdrawals, pure."""
