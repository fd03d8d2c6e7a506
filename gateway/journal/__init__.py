"""The durable journal: SQLite in the wheel's default, PostgreSQL for several. SQL lives in named, commented files."""
