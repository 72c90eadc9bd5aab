"""The tables of boosts. Money is integers of cents; prices and charges are exact decimals."""
