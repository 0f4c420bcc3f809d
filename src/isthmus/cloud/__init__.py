"""Credentials that clouds hand out: one file for each cloud, and the table that knows them all."""
