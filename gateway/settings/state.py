"""`[state]`: how conversations' state behaves."""

from gateway.settings.section import Section


class StateSettings(Section):
    clear_keeps_drafts: bool = False
    """aiogram's `state.clear()` leaves the features' drafts alone; absent, it removes them with all data."""
