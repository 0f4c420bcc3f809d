"""The configuration file: read, checked whole, compiled into a snapshot, watched."""
