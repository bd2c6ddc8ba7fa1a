"""What departments hand over: deliveries with seeded faults, and what must become of every row of them.

The expected results come from how the faults were seeded, never from running the platform. Read: census (what the
registers know of the buildings) → lots (who gets which fault) → wording (how people write) → one module a file.
"""

from sample_city.deliveries.handover import Handover

__all__ = ["Handover"]
