"""Support asks: campaigns, and how often they were seen."""
