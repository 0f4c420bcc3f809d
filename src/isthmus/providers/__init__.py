"""Where requests go. Builds outgoing requests; sends nothing."""
