"""Device, apps and broken handshakes that an archive tells of."""

from audit.readers.har_device import add_device
from audit.tables.extract import Extract
from audit.tables.frames import make_frame


def told(log: dict) -> Extract:
    extract = Extract()
    add_device(extract, log, "c", "log.har")
    for table, rows in extract.rows.items():
        make_frame(table, rows)
    return extract


def test_the_device_and_the_one_app_of_tweasel():
    found = told(
        {
            "_tweasel": {
                "device": {
                    "platform": "android", "osVersion": "13", "manufacturer": "Google",
                    "model": "Pixel 6",
                },
                "apps": [{"id": "com.example.app", "version": "1.2"}],
                "options": {"mode": "allowlist"},
            }
        }
    )  # fmt: skip
    (row,) = found.rows["captures"]
    assert (row["device_model"], row["os"], row["app_version"]) == (
        "Google Pixel 6",
        "android 13",
        "1.2",
    )
    assert found.limits == ["log.har names the app com.example.app 1.2, on its own word"]


def test_traffic_of_several_apps_is_said():
    found = told(
        {"_tweasel": {"apps": [{"id": "a"}, {"id": "b"}], "options": {"mode": "all-apps"}}}
    )
    assert found.rows["captures"][0]["app_version"] is None
    assert "--mixed" in found.limits[-1]


def test_handshakes_that_clients_broke_off_are_rows():
    found = told({"_tlsErrors": [{"hostname": "Pinned.example", "cause": "closed"}, 7]})
    (row,) = found.rows["tls_handshakes"]
    assert (row["sni"], row["transport"], row["refused_by"]) == (
        "pinned.example",
        "pinned-refused",
        "client",
    )


def test_words_that_are_none_are_nothing():
    for meta in (None, 7, {"device": [], "apps": 1, "options": "x"}, {"apps": [{"version": 3}]}):
        told({"_tweasel": meta, "_tlsErrors": meta})
