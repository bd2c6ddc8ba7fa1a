"""Benchmarks: `python -m tests.bench [NAME…]`; each figure stands beside a peer's of the same run."""
