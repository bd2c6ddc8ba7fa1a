"""Check characters of codes, written here a second time, apart from the platform's own."""

import numpy as np
from numpy.typing import NDArray

_ID_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_ID_CHECKS = "10X98765432"
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def citizen_ids(region: NDArray[np.int64], day: NDArray[np.int64], sequence: NDArray[np.int64]) -> list[str]:
    """Citizen id numbers (GB 11643-1999) of region (6 digits), day of birth (YYYYMMDD) and sequence (0–999)."""
    body = [f"{r:06d}{d:08d}{s:03d}" for r, d, s in zip(region.tolist(), day.tolist(), sequence.tolist(), strict=True)]
    digits = np.frombuffer("".join(body).encode(), dtype=np.uint8).reshape(-1, 17).astype(np.int64) - 48
    checks = (digits * _ID_WEIGHTS).sum(axis=1) % 11
    return [b + _ID_CHECKS[c] for b, c in zip(body, checks.tolist(), strict=True)]


def credit_code(department: str, category: str, region: str, number: int) -> str:
    """A unified social credit code (GB 32100-2015) with the organisation code (GB 11714) of a running number."""
    body = "MA" + "".join(_CREDIT[number // 31**k % 31] for k in (5, 4, 3, 2, 1, 0))
    values = [int(c, 36) for c in body]
    rest = 11 - sum(v * w for v, w in zip(values, _ORGANISATION_WEIGHTS, strict=True)) % 11
    first = f"{department}{category}{region}{body}{'X' if rest == 10 else rest % 11}"
    total = sum(_CREDIT.index(c) * w for c, w in zip(first, _CREDIT_WEIGHTS, strict=True))
    return first + _CREDIT[(31 - total % 31) % 31]
