"""What the gateway costs, measured beside nginx and a direct connection, and whether it stays healthy under load.

Nothing here is part of the package. It needs Linux: times and memory are read from /proc.
"""
