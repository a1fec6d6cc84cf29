"""Corrections that were kept elsewhere come in: from the Mistape plugin, from our own export.

Nobody is told of them: no event is written. Reading gives `Found` and `BadRow`s with their lines;
keeping writes what is not there yet, so that a file may be read again.
"""

from service.intake.importing.finds import BadRow, Found
from service.intake.importing.keeping import Keeper, Kept

__all__ = ["BadRow", "Found", "Keeper", "Kept"]
