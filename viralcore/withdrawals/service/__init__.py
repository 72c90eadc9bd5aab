"""The use cases of withdrawals."""
