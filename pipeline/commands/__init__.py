"""The commands, a file each. They import what computes when they run, so that `--help` is there at once."""

from photodrag.pipeline.commands.cache import cache
from photodrag.pipeline.commands.edit import edit
from photodrag.pipeline.commands.faces import faces
from photodrag.pipeline.commands.invert import invert
from photodrag.pipeline.commands.serve import serve
from photodrag.pipeline.commands.weights import weights

COMMANDS = [edit, invert, faces, serve, cache, weights]
