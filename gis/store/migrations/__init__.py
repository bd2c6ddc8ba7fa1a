"""The core's own tables: loads, recorded epochs, scenarios."""
