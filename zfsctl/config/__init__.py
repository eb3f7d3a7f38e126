"""TOML to model: the only package that reads settings."""
