"""The bundle ``captures/<id>/``: layout, manifest, journal, identity, digests, pcapng writer."""
