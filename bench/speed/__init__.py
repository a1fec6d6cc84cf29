"""How fast the service is: beside a peer and a ceiling, at every size, on one machine and many."""
