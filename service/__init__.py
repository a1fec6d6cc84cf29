"""Corrigenda: reader corrections for newsrooms."""

from importlib.metadata import version

__version__ = version("corrigenda")
