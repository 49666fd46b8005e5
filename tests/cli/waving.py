"""A command for the tests of lazy groups."""

import click


@click.command()
def command() -> None:
    """Wave."""
    click.echo("waved")
