"""What is told: receipts to the reader who reported, the record to the public."""
