"""The database: client keys, use, audit and configurations, in SQLite or PostgreSQL."""
