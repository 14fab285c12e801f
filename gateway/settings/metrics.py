"""`[metrics]`: who may read `/metrics`."""

from pydantic import Field, SecretStr

from gateway.settings.section import Section


class MetricsSettings(Section):
    token: SecretStr | None = Field(default=None, min_length=16)
    """Prometheus sends it as `Authorization: Bearer`. Without it there is no `/metrics`, unless `open`."""
    open: bool = False
    """Whoever reaches the port may read it; for a port that only Prometheus reaches."""
