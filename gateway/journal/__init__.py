"""The durable journal: SQLite in the wheel's default. SQL lives in named, commented files."""
