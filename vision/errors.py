"""What can go wrong for a person, in their words: wanted, got, what to do."""


class GemmaError(Exception):
    """Any failure that is not a bug of ours. The command line prints it as one line and exits with `exit_code`."""

    exit_code = 2  # the caller's fault


class ConfigError(GemmaError):
    """A config.json that names an architecture, or a detail of one, that we do not compute."""


class WeightsError(GemmaError):
    """Tensors that are missing, left over, of the wrong shape, or in a format we do not read."""


class TokenizerError(GemmaError):
    """A tokenizer file that is missing, unreadable or not the model's."""


class PictureError(GemmaError):
    """A picture that cannot be read, is too large, or cannot be used here."""


class PromptError(GemmaError):
    """A conversation that cannot be put to the model: its turns, its pictures or its length."""


class OptionError(GemmaError):
    """An option whose value has no meaning."""


class ModelNotFoundError(GemmaError):
    """A model name that is neither a folder, an alias nor in the hub's cache."""


class MemoryLimitError(GemmaError):
    """A model or a request that would not fit this machine's memory; said before it is tried."""

    exit_code = 1
