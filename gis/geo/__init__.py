"""Where things are: coordinate systems and datums, cells, Web Mercator."""
