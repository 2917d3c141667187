"""The navigation game without its players: history -> the next k items.

A game is its picks: whatever a policy knows, it works out again from them.
"""
