"""The pages of the console, one module per kind of thing."""
