"""The laws that a dialect obeys, for `gateway laws` and for pytest: of the house, of another package, or of a folder."""
