"""What all tests of the sandbox share."""

from hypothesis import HealthCheck, settings

# How long an example takes says something about the machine, nothing about the code.
if settings.get_current_profile_name() == "default":
    settings.register_profile("sandbox", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("sandbox")
