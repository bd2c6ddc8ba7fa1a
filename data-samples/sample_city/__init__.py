"""A sample city: Lu'an's real division names and codes, and an invented ground, people and firms to fill them.

Read it in the order in which a city is made: lattice (the streets' warped grid) → divisions → plan (what stands
where, since when) → waters, streets, blocks, templates (the ground) → places (plates, points of interest) →
homes, people, firms (who lives and works there) → deliveries (the files, with the faults that bureaus hand over).
"""

from sample_city.city import Manifest, write_city

__all__ = ["Manifest", "write_city"]
