"""Errors whose message is a sentence for the person who gave the input."""


class CavaeError(Exception):
    """Base of every error that the app and the command line show as one plain sentence."""


class DataError(CavaeError):
    """A table cannot be used: the message names the column, the value and what is accepted."""


class MisfitError(DataError):
    """A table is sound but not for this model: the message says what the model lacks in it."""


class ConfigError(CavaeError):
    """A setting is out of range: the message names the setting and what is accepted."""


class CheckpointError(CavaeError):
    """A model folder cannot be read: the message names the file and what is wrong with it."""


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """Whoever is told of each step wants no further one."""
