"""privlink: a self-hosted PrivateLink for Linux."""

__version__ = "0.1.0"
