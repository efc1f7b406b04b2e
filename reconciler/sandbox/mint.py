"""Turns randomness into ids, keys and secrets, and remembers every secret that it made or was shown."""

from __future__ import annotations

import base64
import random
from uuid import UUID


class Mint:
    """A source of generated values; with a `seed` it makes the same values in every run."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 - a seed is asked for where runs must repeat
        self.issued: set[str] = set()

    def uuid(self) -> str:
        """Give a random UUID (version 4) in lower case."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def hexadecimal(self, digits: int) -> str:
        """Give `digits` random hexadecimal digits."""
        return f"{self._random.getrandbits(4 * digits):0{digits}x}"

    def secret(self, characters: int) -> str:
        """Give `characters` random characters of the base64url alphabet, noted in `issued`."""
        return self.note(self._text(characters))

    def _text(self, characters: int) -> str:
        drawn = self._random.getrandbits(8 * characters).to_bytes(characters)
        return base64.urlsafe_b64encode(drawn).decode()[:characters]

    def note(self, secret: str) -> str:
        """Remember a secret that came from elsewhere, and give it back."""
        if secret:
            self.issued.add(secret)
        return secret

    def public_key(self) -> str:
        """Give something in the shape of a PEM public key; no private key belongs to it."""
        text = base64.b64encode(self._random.getrandbits(2048).to_bytes(256)).decode()
        return f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n"
