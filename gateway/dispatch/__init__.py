"""The way of an update to its handler: what aiogram's dispatcher does, planned ahead."""
