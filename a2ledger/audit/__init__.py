"""Audit: proof that nothing was lost or changed, and the way from a bill down to its calls.

``verify`` checks sealed periods with ``chain`` and ``tags``; ``hand_edits`` takes in what people
changed; ``doctor`` examines a book; ``explain`` traces a line.
"""

from __future__ import annotations
