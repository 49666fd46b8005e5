"""Judging while traffic flows: a mitmproxy add-on hands flows to the readers and checks."""
