"""The tools that are known, a file each, and where each fact about them was found."""
