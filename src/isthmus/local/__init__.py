"""The bundled model: a small real model in a process of its own."""
