"""Accounts that somebody signed in to, opened as the configuration says."""
