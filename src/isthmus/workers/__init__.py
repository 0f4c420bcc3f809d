"""Several processes that serve as one: who starts them, and how they share what must be known to all."""
