"""Simulators: a wallet and a provider that speak any dialect through its own four functions."""
