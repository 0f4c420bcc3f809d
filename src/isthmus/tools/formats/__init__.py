"""The texts that tools keep their settings in: each read as plain values, and changed by a few characters."""
