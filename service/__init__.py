"""Corrigenda: reader corrections for newsrooms."""
