"""Which part of the gateway a process is."""

from enum import Enum


class Role(Enum):
    ALL = "all"
    """Takes calls, and does the work they bring."""
    WEB = "web"
    """Takes calls only."""
    WORKER = "worker"
    """Does the work only; listens nowhere."""

    @property
    def listens(self) -> bool:
        return self is not Role.WORKER

    @property
    def works(self) -> bool:
        return self is not Role.WEB
