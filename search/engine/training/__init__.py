"""Training: four kinds of networks, one loop.

``settings`` what each kind can be told (no torch), ``samples`` what is learned from, ``loop`` the steps and
checkpoints, one module per kind, and ``kinds``, which finds a kind by its name.
"""
