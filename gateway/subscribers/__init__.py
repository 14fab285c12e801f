"""Outgoing webhooks: other services are told of the changes of state that they asked for."""
