"""Pictures and words together: what a request says, and networks that answer "this item, but changed so"."""
