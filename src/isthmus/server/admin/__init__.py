"""Our own admin API: one file a resource, and a table of what is served where, to whom."""
