"""Several gateways behind a load balancer while everything around them fails, and what their clients saw of it."""
