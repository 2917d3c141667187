"""Policies, which choose the next slate; by name in `registry`."""
