"""Settings for operators; only this package reads them from the environment."""
