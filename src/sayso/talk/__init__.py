"""One conversation: a pure core that decides (`turn`), a shell that obeys (`session`)."""
