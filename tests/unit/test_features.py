"""Features, before anything runs."""

import pytest
from aiogram.fsm.context import FSMContext

from gateway import Feature, Gateway
from gateway.errors import FeaturesClash
from state import BaseStateManager


class Booking(BaseStateManager):
    """It names its feature in the class."""

    feature_key = "booking"


class OldBooking(BaseStateManager):
    """It names its feature in `__init__`, as codex-bot's managers do."""

    def __init__(self, state: FSMContext) -> None:
        super().__init__(state, feature_key="booking")


class Profile(BaseStateManager):
    """Another feature, named in `__init__`."""

    def __init__(self, state: FSMContext) -> None:
        super().__init__(state, "profile")


@pytest.mark.parametrize("other", [Booking, OldBooking])
def test_two_features_with_one_draft_are_refused_at_start(other: type[BaseStateManager]) -> None:
    """Each would see and clear what the other one keeps."""
    with pytest.raises(FeaturesClash, match="booking"):
        Gateway(Feature("booking", managers=[Booking]), Feature("orders", managers=[other]))


def test_two_features_with_one_name_are_refused_at_start() -> None:
    """Their scenes could not be told apart."""
    with pytest.raises(FeaturesClash, match="shop"):
        Gateway(Feature("shop"), Feature("shop"))


def test_features_with_drafts_of_their_own_are_not() -> None:
    """However they name them."""
    gateway = Gateway(Feature("booking", managers=[OldBooking]), Feature("profile", managers=[Profile]))

    assert [feature.draft_keys for feature in gateway.features.values()] == [("booking",), ("profile",)]
