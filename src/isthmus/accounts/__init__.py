"""Accounts: how they are signed in to, kept safe, refreshed and signed with."""
