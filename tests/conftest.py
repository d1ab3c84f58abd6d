"""What every test file shares: which tests a machine can run, and the promise that none of them needs the network."""

from pathlib import Path

import pytest

import vision.backend  # noqa: F401  (the system's BLAS is loaded here, before any test file imports mlx)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a GPU where there is none. Deselected, so that a run reports no skipped test."""
    import mlx.core as mx

    if mx.metal.is_available():
        return
    without = [item for item in items if item.get_closest_marker("metal") is None]
    if len(without) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("metal")])
        items[:] = without


@pytest.fixture(scope="session")
def real_270m() -> Path:
    """The folder of the real Gemma 3 270M; a test that asks for it is marked `real_weights`."""
    from tests.real import gemma_270m

    return gemma_270m()
