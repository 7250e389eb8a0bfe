"""Option A: every page of your REST APIs in a data lake, and the proof that nothing is missing."""

__version__ = "0.1.0"
