"""What all tests share: a steady Hypothesis, and the counts of what was read of recorded traffic."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "steady",
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("steady")
