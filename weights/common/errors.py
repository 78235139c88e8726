"""The one family of errors a person can cause or put right."""


class UserError(Exception):
    """Something that a person can put right. Its message is one sentence or two: what was wrong, where, and what to
    do about it.

    The command line prints the message on stderr, without a traceback, and exits with `exit_code`:
    2 for what the person can change, 1 for what failed on our side."""

    exit_code = 2


class Failure(UserError):
    """Something that the person asked for rightly and that we could not do."""

    exit_code = 1
