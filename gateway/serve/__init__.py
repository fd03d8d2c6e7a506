"""The outer ring: the only part, with journal and cli, that touches the world."""
