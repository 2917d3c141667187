"""Vectors on a PostgreSQL with pgvector: for catalogues that outgrow the machines which search them.

Knows no Django. What is on the server is a copy of built files: a build is there whole, or not at all, and
can be put there again at any time.
"""
