"""`photodrag serve`: a page to drag on."""

import click

from photodrag.pipeline.commands import options
from photodrag.weights.common.errors import UserError


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Where to listen; 0 takes any free port.")
@click.option("--no-browser", is_flag=True, help="Print the address, and open no browser.")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="Where to listen, this machine alone by default.")
@click.option("--allow-others", is_flag=True, help="Let --host be an address that other machines reach.")
@options.person
@options.generator
@options.device
def serve(
    port: int | None,
    no_browser: bool,
    host: str,
    allow_others: bool,
    person: str | None,
    generator: str | None,
    device: str,
) -> None:
    """Open a page in the browser, on which points of a photo are dragged with the mouse.

    The page is for this machine alone, and its address holds a token: who has the address can use it. A
    photo is kept in memory as long as its tab is open, and written nowhere but where you save it.

    \b
    Examples:
        photodrag serve
        photodrag serve --port 8000 --no-browser
        photodrag serve --person anna
    """
    from photodrag.pipeline.page.limits import LOOPBACK

    if host not in LOOPBACK:
        if not allow_others:
            raise UserError(f"--host {host} lets other machines in: add --allow-others if that is meant.")
        options.complain(
            "Other machines reach this page: all is sent unencrypted, and whoever has the address can use it."
        )
    try:
        from photodrag.pipeline.page import serving
    except ModuleNotFoundError as error:
        raise UserError(
            f"The page needs a package that isn't here ({error.name}): pip install 'photodrag[page]'."
        ) from error
    from photodrag.pipeline.editing.plan import find_generator, known_person, usual_align
    from photodrag.pipeline.page.app_state import AppState
    from photodrag.pipeline.page.token import current_token

    name, subject = find_generator(generator or "face")
    if usual_align(subject) != "face":
        raise UserError(f"The page edits faces, which {name} does not show: see `photodrag edit --help`.")
    known = known_person(person)
    listening = serving.bound(host, port)
    options.prepare_to_compute(device)
    app_state, token = AppState(name, device, person=known), current_token()

    def started(address: str) -> None:
        options.say(f"The page is at {address}\nCtrl-C ends it.")
        if not no_browser:
            serving.open_browser(address)

    with options.stopping_leaves("the page is closed, and no photo is kept"):
        serving.serve(app_state, listening, token, started)
