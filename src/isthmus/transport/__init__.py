"""The way out: our own HTTP/1.1 client, and httpx2 behind the same port for what it does not do."""
