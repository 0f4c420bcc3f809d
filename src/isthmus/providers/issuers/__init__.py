"""Who accounts are signed in to at: one file an issuer."""
