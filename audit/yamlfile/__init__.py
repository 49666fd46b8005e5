"""The one YAML loader (places, refusals, excerpts) and the model of every YAML file."""
