"""A page to drag on: a server for browsers on the same machine, and what it shows them.

serving.py    what runs the server              app_state.py     what all tabs share
guard.py      who may ask                       tab.py           one browser tab: what it says and is told
app.py        addresses                         tab_state.py     what a tab has
messages.py   what goes over the wire           jobs.py          what a tab's jobs do
job_queue.py  one computation at a time         work.py          what is computed for a tab, as the command line does
outbox.py     what waits to be sent             preview.py       pictures while something is going on
limits.py     how much a page may ask for       pictures.py      JPEGs of a part of a photo
token.py      the token that opens the page     painted_mask.py  masks painted on the page
                                                warp.py          what an edit will come to, roughly, at once
"""
