"""The demo: both emulators, the real bot between them, and a page or a story to play with it."""
