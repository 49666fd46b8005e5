"""Make the corpus of the identifier benchmark: five parts of payloads, the same for one seed.

    python benchmarks/make_corpus.py FOLDER [--megabytes 16] [--seed 1]

writes ``FOLDER/<part>.bin`` and ``FOLDER/<part>.sizes`` (bytes of each payload, one a line). Parts:

- ``prose``: sentences, with figures, names, web addresses and quotations here and there;
- ``json``: answers of programming interfaces: ids in hexadecimal, UUIDs, times, links with percent
  escapes, texts with JSON escapes, tokens;
- ``base64``: attachments in lines (MIME), data URLs and fields of JSON, JWTs; what they hold is
  media (random bytes), JSON or prose in equal shares;
- ``captures``: what a recording holds: heads of HTTP requests and answers with cookies, forms, JSON
  bodies, messages in protocol buffers, records of ciphertext;
- ``packed``: the texts of the parts before in gzip, Brotli, Zstandard, zlib and headerless deflate.

No payload holds a value of the benchmark's subject. Sizes are drawn between 512 bytes and 256 KiB.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import random
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlencode

PARTS = ("prose", "json", "base64", "captures", "packed")
SMALLEST, LARGEST = 512, 256 << 10
_COMMON = """
the of and to a in is it you that he was for on are with as his they be at one have this
from or had by hot but some what there we can out other were all your when up use word how
said an each she which do their time if will way about many then them would write like so
these her long make thing see him two has look more day could go come did my sound no most
number who over know water than call first people may down side been now find any new work
part take get place made live where after back little only round man year came show every
good me give our under name very through just form much great think say help low line before
turn cause same mean differ move right boy old too does tell sentence set three want air
well also play small end put home read hand port large spell add even land here must big
high such follow act why ask men change went light kind off need house picture try us again
animal point mother world near build self earth father responsibility international
communication environmental
"""
_SYLLABLES = """
an ber cal dor el fen gra hol in jar kel lum mor nes or pel qui ros sta tor ul ven wil yar
zan ter ment tion ly ing est ive
"""


class Maker:
    """Draws texts and messages."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        syllables = _SYLLABLES.split()
        rare = {
            "".join(self.draw.choices(syllables, k=self.draw.choice((1, 2, 2, 3, 3, 4))))
            for _ in range(6000)
        }
        self.words = [*_COMMON.split(), *sorted(rare)]
        self.weights = [1 / (rank + 2) for rank in range(len(self.words))]
        self.cumulated: list[float] = []
        total = 0.0
        for weight in self.weights:
            total += weight
            self.cumulated.append(total)

    def some_words(self, count: int) -> list[str]:
        return self.draw.choices(self.words, cum_weights=self.cumulated, k=count)

    def sentence(self) -> str:
        words = self.some_words(self.draw.randint(4, 24))
        chance = self.draw.random()
        if chance < 0.08:
            words.append(str(self.draw.randint(1, 99_999)))
        elif chance < 0.12:
            words.append(f'"{words[0]} {words[-1]}"')
        elif chance < 0.14:
            words.append(f"https://{words[0]}.example/{words[1]}/{'-'.join(words[1:4])}")
        elif chance < 0.20:
            words.append(f"{words[0].title()}'s")
        text = " ".join(words)
        return text[0].upper() + text[1:] + self.draw.choice(".....?!;")

    def prose(self, size: int) -> bytes:
        out: list[str] = []
        length = 0
        while length < size:
            text = self.sentence() + ("\n\n" if self.draw.random() < 0.15 else " ")
            out.append(text)
            length += len(text)
        return "".join(out).encode()[:size]

    def hex(self, count: int) -> str:
        return self.draw.randbytes(count).hex()

    def uuid(self) -> str:
        text = self.hex(16)
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def token(self, count: int) -> str:
        return base64.urlsafe_b64encode(self.draw.randbytes(count)).decode().rstrip("=")

    def time(self) -> str:
        draw = self.draw.randint
        return (
            f"2024-{draw(1, 12):02}-{draw(1, 28):02}T{draw(0, 23):02}:{draw(0, 59):02}"
            f":{draw(0, 59):02}.{draw(0, 999):03}Z"
        )

    def link(self) -> str:
        first, second, third = self.some_words(3)
        query = urlencode({first: self.sentence()[:40], "ref": self.hex(4)})
        return f"https://cdn.{second}.example/{third}/{self.hex(8)}/item?{query}"

    def record(self) -> dict[str, object]:
        one, two = self.some_words(2)
        draw = self.draw
        return {
            "id": self.uuid() if draw.random() < 0.5 else draw.randint(1, 10**9),
            "type": f"{one}.{two}",
            "created_at": self.time(),
            "updated_at": draw.randint(1_500_000_000_000, 1_800_000_000_000),
            "title": " ".join(self.some_words(5)),
            "body": " ".join(self.sentence() for _ in range(draw.randint(1, 4))),
            "html": f'<p class="{one}">{self.sentence()} caf\u00e9 &amp; more</p>\n',
            "etag": self.hex(draw.choice((16, 20, 32))),
            "link": self.link(),
            "cursor": self.token(draw.choice((12, 24, 48))),
            "score": round(draw.random() * 100, 4),
            "tags": self.some_words(3),
            "flags": {"read": draw.random() < 0.5, "starred": None, "count": draw.randint(0, 500)},
        }

    def json(self, size: int) -> bytes:
        out: list[dict[str, object]] = []
        length = 0
        style = {"indent": 2} if self.draw.random() < 0.25 else {"separators": (",", ":")}
        while length < size:
            out.append(self.record())
            length += len(json.dumps(out[-1], **style))  # type: ignore[arg-type]
        return json.dumps({"data": out, "next": None}, **style).encode()  # type: ignore[arg-type]

    def content(self, size: int) -> bytes:
        return self.draw.choice((self.draw.randbytes, self.json, self.prose))(size)

    def base64(self, size: int) -> bytes:
        inner = size * 3 // 4
        way = self.draw.random()
        if way < 0.3:
            head = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            return head + base64.encodebytes(self.content(inner)).replace(b"\n", b"\r\n")
        if way < 0.5:
            image = base64.b64encode(self.draw.randbytes(inner)).decode()
            return f'<img alt="{self.sentence()}" src="data:image/png;base64,{image}">'.encode()
        if way < 0.8:
            names = self.some_words(3)
            parts = [base64.b64encode(self.content(inner // 3)).decode() for _ in names]
            return json.dumps(dict(zip(names, parts, strict=True))).encode()
        out = b""
        while len(out) < size:
            parts_ = [b'{"alg":"RS256","typ":"JWT"}', self.json(300), self.draw.randbytes(256)]
            out += b"Authorization: Bearer " + b".".join(
                base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts_
            )
            out += b"\r\n"
        return out

    def head(self, size: int, kind: str) -> bytes:
        one, two, three = self.some_words(3)
        cookies = "; ".join(f"{word}={self.token(18)}" for word in self.some_words(3))
        return (
            f"POST /api/v2/{one}/{self.draw.randint(1, 10**6)}?{two}={self.hex(8)} HTTP/1.1\r\n"
            f"Host: {three}.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0)"
            f" Gecko/20100101 Firefox/128.0\r\nAccept: */*\r\nAccept-Language: en-US,en;q=0.5\r\n"
            f"Accept-Encoding: gzip, deflate, br\r\nContent-Type: {kind}\r\n"
            f"Content-Length: {size}\r\nCookie: {cookies}\r\nX-Request-Id: {self.uuid()}\r\n"
            f"Date: Mon, 03 Jun 2024 10:{self.draw.randint(10, 59)}:07 GMT\r\n\r\n"
        ).encode()

    def message(self, size: int) -> bytes:
        """Protocol buffers: varints, strings, nested messages and ciphertext."""
        out = bytearray()
        while len(out) < size:
            text = self.sentence().encode()[:100]
            out += b"\x08" + bytes((self.draw.randint(0, 127),))
            out += b"\x12" + bytes((len(text),)) + text
            inner = self.draw.randbytes(self.draw.randint(16, 100))
            out += b"\x1a" + bytes((len(inner),)) + inner
        return bytes(out)

    def form(self, size: int) -> bytes:
        out: list[str] = []
        length = 0
        while length < size:
            out.append(f"{self.some_words(1)[0]}={quote(self.sentence(), safe='')}")
            length += len(out[-1]) + 1
        return "&".join(out).encode()

    def record_layer(self, size: int) -> bytes:
        out: list[bytes] = []
        length = 0
        while length < size:
            sealed = self.draw.randbytes(self.draw.choice((64, 512, 1400, 16_000)))
            out.append(b"\x17\x03\x03" + len(sealed).to_bytes(2, "big") + sealed)
            length += len(out[-1])
        return b"".join(out)

    def captures(self, size: int) -> bytes:
        kinds: tuple[tuple[str, Callable[[int], bytes]], ...] = (
            ("application/json", self.json),
            ("application/x-www-form-urlencoded", self.form),
            ("application/x-protobuf", self.message),
            ("application/octet-stream", self.record_layer),
        )
        out: list[bytes] = []
        length = 0
        while length < size:
            kind, make = self.draw.choice(kinds)
            body = make(min(size - length, self.draw.randint(200, 8000)))
            out += [self.head(len(body), kind), body]
            length += len(out[-2]) + len(out[-1])
        return b"".join(out)

    def packed(self, size: int) -> bytes:
        import brotli
        import zstandard

        plain = self.draw.choice((self.json, self.prose, self.captures))(size * 3)
        raw = zlib.compressobj(wbits=-15)
        packers: tuple[Callable[[], bytes], ...] = (
            lambda: gzip.compress(plain, mtime=0),
            lambda: brotli.compress(plain, quality=4),
            lambda: zstandard.ZstdCompressor().compress(plain),
            lambda: zlib.compress(plain),
            lambda: raw.compress(plain) + raw.flush(),
        )
        return self.draw.choice(packers)()


def make(part: str, size: int, seed: int) -> list[bytes]:
    """Return the payloads of one part, ``size`` bytes together, more or less."""
    maker = Maker(seed)
    of_part = getattr(maker, part)
    out: list[bytes] = []
    length = 0
    while length < size:
        payload = of_part(int(SMALLEST * (LARGEST / SMALLEST) ** maker.draw.random()))
        out.append(payload)
        length += len(payload)
    return out


def write(folder: Path, megabytes: int, seed: int) -> None:
    """Write every part."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        payloads = make(part, megabytes * 10**6, seed)
        (folder / f"{part}.bin").write_bytes(b"".join(payloads))
        sizes = "".join(f"{len(payload)}\n" for payload in payloads)
        (folder / f"{part}.sizes").write_text(sizes, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--megabytes", type=int, default=16, help="of each part")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    write(options.folder, options.megabytes, options.seed)


if __name__ == "__main__":
    main()
