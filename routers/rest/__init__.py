"""``/v1``: what other services read, change and send. One file for each resource."""
