"""Helpers of the integration tests: places, daemons, HTTP over any socket, what is left over."""
