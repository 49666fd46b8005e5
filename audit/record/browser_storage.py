"""What a browser keeps: taken down over the debugging protocol, and aged as time would age it."""

from __future__ import annotations

import time
from typing import Any, Final

from audit.record.browser_log import BrowserLog, first_line
from audit.record.browser_watch import PageWatch, Wire, walk_frames

_PAGE: Final = 500
_MOST_VALUES: Final = 5_000
"""Values of one area of one origin that are taken down; a gap tells of more."""
_TEXT: Final = "function(){ try { return JSON.stringify(this) } catch { return String(this) } }"


class Export:
    """Takes down, at one moment, all cookies and what the frames of a page have stored."""

    def __init__(self, watch: PageWatch, log: BrowserLog, visit: int, site: str) -> None:
        self._watch = watch
        self._wire: Wire = watch.wire
        self._log = log
        self._at = {"visit": visit, "site": site}

    def take(self) -> None:
        """Write it all; what cannot be read is a gap."""
        self._cookies()
        tree = self._wire.send("Page.getFrameTree")["frameTree"]
        seen = set()
        for frame in walk_frames(tree):
            if not frame["url"].startswith(("http:", "https:", "about:")):
                continue
            try:
                key = self._wire.send("Storage.getStorageKeyForFrame", {"frameId": frame["id"]})
            except Exception as error:  # noqa: BLE001 - the driver's errors have no common base here
                if not frame["url"].startswith("about:"):
                    self._gap("the storage", frame["url"], error)
                continue
            if key["storageKey"] not in seen:
                seen.add(key["storageKey"])
                self._origin(key["storageKey"])
        self._watch.tell_unwatched(tree)

    def _origin(self, key: str) -> None:
        for name, take in (
            ("the local and session storage", self._items),
            ("the indexed storage", self._databases),
            ("the caches", self._caches),
        ):
            try:
                take(key)
            except Exception as error:  # noqa: BLE001 - as above
                self._gap(name, key, error)

    def _gap(self, what: str, where: str, error: Exception) -> None:
        self._log.gap(f"{what} of {where} could not be read: {first_line(error)}", "storage")

    def _cookies(self) -> None:
        for cookie in self._wire.send("Network.getAllCookies")["cookies"]:
            self._log.write(
                "cookie", value=cookie["value"], name=cookie["name"], domain=cookie["domain"],
                path=cookie["path"], expires=None if cookie["session"] else cookie["expires"],
                http_only=cookie["httpOnly"], secure=cookie["secure"],
                same_site=cookie.get("sameSite"), partition=cookie.get("partitionKey"), **self._at,
            )  # fmt: skip

    def _items(self, key: str) -> None:
        for area, is_local in (("local", True), ("session", False)):
            storage = {"storageKey": key, "isLocalStorage": is_local}
            found = self._wire.send("DOMStorage.getDOMStorageItems", {"storageId": storage})
            self._values(area, key, found["entries"])

    def _values(self, area: str, origin: str, entries: list[list[str]]) -> None:
        if len(entries) > _MOST_VALUES:
            self._log.gap(f"{origin} keeps more than {_MOST_VALUES} values in one area", "storage")
        for name, value in entries[:_MOST_VALUES]:
            self._log.write("stored", value=value, area=area, origin=origin, key=name, **self._at)

    def _databases(self, key: str) -> None:
        place = {"storageKey": key}
        for name in self._wire.send("IndexedDB.requestDatabaseNames", place)["databaseNames"]:
            asked = {**place, "databaseName": name}
            found = self._wire.send("IndexedDB.requestDatabase", asked)["databaseWithObjectStores"]
            if not found["objectStores"]:
                self._values("indexed", key, [[name, ""]])
            for store in found["objectStores"]:
                self._records({**asked, "objectStoreName": store["name"]}, key)

    def _records(self, asked: dict[str, Any], origin: str) -> None:
        label = f"{asked['databaseName']}/{asked['objectStoreName']}"
        entries: list[list[str]] = []
        more = True
        while more and len(entries) <= _MOST_VALUES:
            found = self._wire.send(
                "IndexedDB.requestData", {**asked, "skipCount": len(entries), "pageSize": _PAGE}
            )
            more = found["hasMore"]
            entries += [
                [f"{label}/{self._text(entry['primaryKey'])}", self._text(entry["value"])]
                for entry in found["objectStoreDataEntries"]
            ]
        self._values("indexed", origin, entries or [[label, ""]])

    def _text(self, remote: dict[str, Any]) -> str:
        """Return a value of a database as text: JSON where it is an object."""
        if "objectId" in remote:
            asked = {
                "objectId": remote["objectId"], "functionDeclaration": _TEXT, "returnByValue": True,
            }  # fmt: skip
            remote = self._wire.send("Runtime.callFunctionOn", asked)["result"]
        return str(remote.get("value", remote.get("description", "")))

    def _caches(self, key: str) -> None:
        for cache in self._wire.send("CacheStorage.requestCacheNames", {"storageKey": key})[
            "caches"
        ]:
            asked = {"cacheId": cache["cacheId"], "pageSize": _MOST_VALUES + 1}
            entries = self._wire.send("CacheStorage.requestEntries", asked)["cacheDataEntries"]
            found = [[f"{cache['cacheName']} {entry['requestURL']}", entry["requestURL"]]
                     for entry in entries]  # fmt: skip
            self._values("cache", key, found or [[cache["cacheName"], ""]])


def age_cookies(wire: Wire, seconds: float, keeps: str) -> None:
    """Make every cookie as old as it will be after so many seconds.

    Those that end until then, and those of the visit alone, are gone; the others end so much
    sooner. The page's clock is left as it is. ``keeps``: domain whose cookies keep their age.
    """
    cookies = wire.send("Network.getAllCookies")["cookies"]
    wire.send("Network.clearBrowserCookies")
    later = []
    for cookie in cookies:
        if cookie["session"] or (
            cookie["domain"].lstrip(".") != keeps and cookie["expires"] - seconds <= time.time()
        ):
            continue
        kept = {
            name: cookie[name]
            for name in ("name", "value", "domain", "path", "secure", "httpOnly", "sameSite",
                         "priority", "sourceScheme", "sourcePort", "partitionKey")
            if name in cookie
        }  # fmt: skip
        if not cookie["domain"].startswith("."):  # a cookie of one host alone is set by address
            scheme = "https" if cookie["secure"] else "http"
            kept["url"] = f"{scheme}://{kept.pop('domain')}{cookie['path']}"
        age = 0.0 if cookie["domain"].lstrip(".") == keeps else seconds
        later.append({**kept, "expires": cookie["expires"] - age})
    if later:
        wire.send("Network.setCookies", {"cookies": later})
