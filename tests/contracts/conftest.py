"""The sandbox in the revision the test names, and a caller that speaks plain JSON to it."""

from sandbox.tests.contracts.conftest import call, emulator

__all__ = ["call", "emulator"]
