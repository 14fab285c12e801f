"""Telegram as a caller: its secret, its updates, its endpoint."""
