"""Durations of RFC 3339, appendix A (ISO 8601): P2D, P1Y6M, PT36H, P2W. Years, months and days are Shanghai's."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_FORM = re.compile(
    r"P(?=\d|T\d)(?:(?P<weeks>\d{1,5})W"
    r"|(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,6})?)S)?)?)\Z"
)


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time in months, days and exact time; how long a month or a day is depends on where it begins."""

    months: int
    days: int
    exact: timedelta

    @classmethod
    def parse(cls, text: str) -> "Duration | None":
        """The duration that a text is; None where it is none."""
        found = _FORM.match(text)
        if found is None:
            return None
        part = {name: value or "0" for name, value in found.groupdict().items()}
        return cls(
            months=int(part["years"]) * 12 + int(part["months"]),
            days=int(part["weeks"]) * 7 + int(part["days"]),
            exact=timedelta(hours=int(part["hours"]), minutes=int(part["minutes"]), seconds=float(part["seconds"])),
        )

    def after(self, when: datetime) -> datetime:
        """The end of the duration that begins at an instant, in UTC. Raises ValueError, OverflowError out of range."""
        return self._moved(when, 1)

    def before(self, when: datetime) -> datetime:
        """The beginning of the duration that ends at an instant, in UTC. Raises as `after` does."""
        return self._moved(when, -1)

    def _moved(self, when: datetime, sign: int) -> datetime:
        local = when.astimezone(_SHANGHAI).replace(tzinfo=None)
        year, month = divmod(local.year * 12 + local.month - 1 + sign * self.months, 12)
        # the 31st of a shorter month is its last day
        day = min(local.day, calendar.monthrange(year, month + 1)[1])
        local = local.replace(year=year, month=month + 1, day=day) + sign * timedelta(days=self.days)
        return local.replace(tzinfo=_SHANGHAI).astimezone(UTC) + sign * self.exact
