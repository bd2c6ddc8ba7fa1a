"""The tables of the spatial base."""
