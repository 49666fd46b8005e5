"""Namespaces, the launcher that owns them, links and routes: what record and lab stand on."""
