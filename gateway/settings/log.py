"""`[log]`: what is told, and in which form."""

from enum import Enum

from gateway.settings.section import Section


class LogLevel(Enum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogForm(Enum):
    AUTO = "auto"
    """Readable on a terminal, JSON lines otherwise."""
    CONSOLE = "console"
    JSON = "json"


class LogSettings(Section):
    level: LogLevel = LogLevel.INFO
    form: LogForm = LogForm.AUTO
