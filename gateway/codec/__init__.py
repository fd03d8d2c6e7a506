"""From bytes to checked fields and back: JSON, units of money, error tables, times."""
