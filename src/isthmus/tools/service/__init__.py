"""The gateway as a service of the user who runs it: described, and handed to what keeps services on this machine."""
