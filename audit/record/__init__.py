"""World to bundle: taps, proxy, keys, controls, drivers, and the clean-up after all of them."""
