"""An editor decides: the queue, moves, changes and revisions."""
