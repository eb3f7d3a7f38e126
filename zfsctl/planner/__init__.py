"""Pure functions: facts, policy and now in; a plan or findings out. No clock, no I/O, no logging."""
