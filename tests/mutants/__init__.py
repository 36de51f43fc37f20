"""Whether the tests notice when a line is wrong: `make mutants`, outside CI."""
