"""The sandbox held against real OpenZFS: the same command sequences on both, and the same answers.

generator.py     makes commands, as a person or a program might give them, right ones and wrong ones
comparing.py     what of an answer must be the same, and what cannot be
running.py       plays a sequence on the sandbox and on a real host, and reports where they part
regressions.py   sequences that parted once
"""
