"""Imported last by the process that bots are forked from: what it has imported is no garbage of theirs.

Else the first collection of each child looks at all of it, and copies the memory it shares with its parent.
"""

import gc

gc.collect()
gc.freeze()
