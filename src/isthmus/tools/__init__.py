"""The coding tools that people have: their own configuration files, changed so that they ask this gateway, and back."""
