"""Stand-ins for a whole messenger network, run inside namespaces or on loopback.

Names of the network that is stood in for may appear in this room and in no other.
"""
