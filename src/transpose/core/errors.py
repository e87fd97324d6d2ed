"""Every error a user can meet: what happened, what to do next, an exit code, and whether a retry can help.

    TransposeError                1  something went wrong
    ├── UsageError                2  the command line does not make sense
    │   ├── OptionError          22  an option is unknown or out of range
    │   └── PromptError          23  nothing on the way reads the prompt
    ├── AmbiguousError            3  several meanings fit: the caller must choose
    ├── InputError               10  an input cannot be used
    │   ├── MissingInput         11  no such file
    │   ├── FolderInput          12  a folder where a file is needed
    │   ├── EmptyInput           13  no bytes, or a length of zero
    │   ├── DamagedInput         14  truncated or corrupt
    │   ├── MislabelledInput     15  the bytes are of another format than the name says
    │   ├── HugeInput            16  larger than is safe to open
    │   ├── LockedInput          17  needs a password
    │   └── SilentInput          18  holds nothing of the kind that is looked for
    ├── RouteError               20  the way cannot be planned
    │   ├── UnknownFormat        24  no transform reads or writes this suffix
    │   ├── NoRoute              21  no faithful way
    │   └── ConsentError         25  the way sends data to a host that nobody allowed
    ├── MissingPackage           30  a Python package is not installed
    ├── WeightsError             31  weights cannot be had
    │   ├── OfflineError         32  they would have to be fetched, and that is forbidden
    │   └── DamagedWeights       33  their hash is not the one on the card
    ├── ServiceError             34  a server that a model runs on refused or did not answer
    ├── OutputError              40  the output cannot be written
    │   ├── OutputExists         41  a file of that name is there
    │   └── DiskFull             42  no space left
    └── TransformError           50  a transform failed on this value

Numbers are never reused. Ctrl-C ends with 130.
"""


class TransposeError(Exception):
    """Base of every error raised on purpose; `hint` is the next thing to type or to try."""

    exit_code = 1
    retryable = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class UsageError(TransposeError):
    """The request does not make sense as it stands."""

    exit_code = 2


class OptionError(UsageError):
    """An option is unknown, of the wrong type or out of range."""

    exit_code = 22


class PromptError(UsageError):
    """A prompt was given that no transform on the way reads."""

    exit_code = 23


class AmbiguousError(TransposeError):
    """Several meanings fit; `choices` holds what to add for each."""

    exit_code = 3

    def __init__(self, message: str, hint: str = "", choices: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.choices = choices


class InputError(TransposeError):
    """An input cannot be used."""

    exit_code = 10


class MissingInput(InputError):
    """There is no such file."""

    exit_code = 11


class FolderInput(InputError):
    """A folder stands where a file is needed."""

    exit_code = 12


class EmptyInput(InputError):
    """The file has no bytes, or its content has no length."""

    exit_code = 13


class DamagedInput(InputError):
    """The file is truncated or corrupt."""

    exit_code = 14


class MislabelledInput(InputError):
    """The bytes are of another format than the name says."""

    exit_code = 15


class HugeInput(InputError):
    """The file claims a size that is not safe to open."""

    exit_code = 16


class LockedInput(InputError):
    """The file needs a password."""

    exit_code = 17


class SilentInput(InputError):
    """The input holds nothing of the kind that the transform looks for (no speech, no text, no notes)."""

    exit_code = 18


class RouteError(TransposeError):
    """The way cannot be planned."""

    exit_code = 20


class UnknownFormat(RouteError):
    """No transform reads or writes files of this suffix."""

    exit_code = 24


class NoRoute(RouteError):
    """No faithful way leads from what was given to what is wanted."""

    exit_code = 21


class ConsentError(RouteError):
    """The way sends what was given to a host that nobody has allowed."""

    exit_code = 25


class MissingPackage(TransposeError):
    """A Python package that a transform needs is not installed."""

    exit_code = 30


class WeightsError(TransposeError):
    """The weights of a model cannot be had."""

    exit_code = 31
    retryable = True


class OfflineError(WeightsError):
    """A connection would be needed, and connections are forbidden."""

    exit_code = 32
    retryable = False


class DamagedWeights(WeightsError):
    """The bytes that came do not have the hash on the card."""

    exit_code = 33


class ServiceError(TransposeError):
    """A server that runs a model refused, or did not answer."""

    exit_code = 34
    retryable = True


class OutputError(TransposeError):
    """The output cannot be written."""

    exit_code = 40


class OutputExists(OutputError):
    """A file of that name is there already."""

    exit_code = 41


class DiskFull(OutputError):
    """No space is left where the output or a temporary file has to go."""

    exit_code = 42
    retryable = True


class TransformError(TransposeError):
    """A transform failed on this value."""

    exit_code = 50
