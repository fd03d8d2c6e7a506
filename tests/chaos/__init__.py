"""Real processes and a real database on loopback, and everything that can break, by a seed."""
