"""The straight line: one client request, from bytes to bytes. Knows no server, no socket, no disk."""
