"""Sites, editors, sessions and tokens: who is asking, and what may they do."""
