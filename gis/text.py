"""Words that a user sees: always Chinese and English together."""

from typing import Literal, NamedTuple

Language = Literal["zh", "en"]


class Text(NamedTuple):
    """One label or sentence in both languages."""

    zh: str
    en: str

    def in_(self, language: Language) -> str:
        """The wording in one language."""
        return self.zh if language == "zh" else self.en

    def as_dict(self) -> dict[str, str]:
        """Both wordings, as JSON carries them."""
        return {"zh": self.zh, "en": self.en}
