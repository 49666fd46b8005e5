"""Sends tap controls: ``python -m audit.record.control URL...`` in the client's place.

Each URL ends in a one-time token; the echo must answer with the token. Proxy variables of the
environment are followed (proxy rung), TLS secrets go to ``SSLKEYLOGFILE``.
"""

from __future__ import annotations

import ssl
import sys
import urllib.request
from typing import Final

_LIMIT_S: Final = 10.0
USER_AGENT: Final = "audit-control"


def main(urls: list[str]) -> int:
    """Fetch every URL; exit code 1 with a sentence for the first that fails."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the echo's certificate is nobody's, its token counts
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    opener.addheaders = [("User-Agent", USER_AGENT)]
    for url in urls:
        scheme = url.partition(":")[0]
        try:
            with opener.open(url, timeout=_LIMIT_S) as answer:
                body = answer.read(4096)
        except OSError as error:
            sys.stderr.write(f"the {scheme} control did not reach the echo: {error}\n")
            return 1
        if url.rpartition("/")[2].encode() not in body:
            sys.stderr.write(f"the {scheme} control was answered by something else\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
