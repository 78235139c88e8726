"""How much of something with a name is asked for, 1 being the most."""

from collections.abc import Mapping

from photodrag.weights.common.errors import UserError


def checked_amounts(amounts: Mapping[str, float], least: Mapping[str, float], what: str) -> dict[str, float]:
    """Those that aren't 0. least: the least amount of each name that there is; what: what the names are of, in a word.

    Raises UserError for a name, or an amount, that there isn't."""
    for name, amount in amounts.items():
        if name not in least:
            raise UserError(f"There is no {what} {name!r}: choose among {', '.join(least)}.")
        if not least[name] <= amount <= 1:
            raise UserError(
                f"The amount {amount:g} of {name} is too much: give {least[name]:g} to 1, 0.5 for a natural change."
            )
    return {name: amount for name, amount in amounts.items() if amount}
