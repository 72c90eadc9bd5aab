"""Every SQL statement of withdrawals."""
