"""How sound and messages come and go; each protocol is an adapter that makes a `Line`."""
