"""The open gateway between game providers and operators' wallets."""

__version__ = "0.1.0"
