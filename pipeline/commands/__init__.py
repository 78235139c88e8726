"""The commands, a file each. They import what computes when they run, so that `--help` is there at once."""

from photodrag.pipeline.commands.cache_exchange import cache  # the group, with these commands of it, too
from photodrag.pipeline.commands.compare import compare
from photodrag.pipeline.commands.edit import edit
from photodrag.pipeline.commands.expression import expression
from photodrag.pipeline.commands.faces import faces
from photodrag.pipeline.commands.fuse import fuse
from photodrag.pipeline.commands.generate import generate
from photodrag.pipeline.commands.invert import invert
from photodrag.pipeline.commands.measure import measure
from photodrag.pipeline.commands.mix import mix
from photodrag.pipeline.commands.parts import parts
from photodrag.pipeline.commands.person import person
from photodrag.pipeline.commands.serve import serve
from photodrag.pipeline.commands.weights import weights

COMMANDS = [
    edit,
    fuse,
    mix,
    generate,
    expression,
    parts,
    invert,
    compare,
    measure,
    faces,
    serve,
    person,
    cache,
    weights,
]
