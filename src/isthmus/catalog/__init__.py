"""What models are: data and pure lookups."""
