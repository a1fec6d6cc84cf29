"""Coverage-guided fuzzing of what strangers' bytes reach first: `make fuzz MINUTES=10`."""
