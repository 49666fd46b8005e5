"""The evidence tables: a row model each, the closed vocabularies, frames built from rows."""
