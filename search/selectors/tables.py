"""Cells of tables that people open in spreadsheets."""

import re

# What a spreadsheet may take for a formula: at the start, after blanks, or at the start of a line.
FORMULA = re.compile(r"^[\s\u00a0\ufeff]*[=+\-@＝＋－＠]|^[\t\r]|[\r\n][\s\u00a0]*[=+\-@]")


def neutralise(value: object) -> object:
    """Put an apostrophe before a text that a spreadsheet might run (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and FORMULA.search(value) else value
