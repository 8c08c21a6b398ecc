"""stub"""
from __future__ import annotations
NEXT = "see {book}"
def demonstrate(directory, run): ...
