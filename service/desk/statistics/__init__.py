"""Statistics: days and months added up ahead, exact because what changed since is added up anew."""
