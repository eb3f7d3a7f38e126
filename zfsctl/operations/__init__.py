"""One module per verb. Every face calls these: the command line now, others later."""
