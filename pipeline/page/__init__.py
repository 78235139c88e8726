"""A page to drag on: a server for browsers on the same machine, and what it shows them.

serving.py   what runs the server              studio.py     what all tabs share
guard.py     who may ask                       tab.py        one browser tab: what it says and is told
app.py       addresses                         work.py       what is computed for a tab, as the command line does
messages.py  what goes over the wire           preview.py    pictures while something is going on
turns.py     one computation at a time         painted.py    masks painted on the page
jobs.py      what a tab's jobs do              pictures.py   JPEGs of a part of a photo
held.py      what a tab has                    limits.py     how much a page may ask for
outbox.py    what waits to be sent             token.py      the token that opens the page
"""
