"""What the tests of kernels share: an agent, and waits for what a kernel is."""

import time

import pytest

from lib import places
from lib.agent import Agent


@pytest.fixture
def agent(daemon, tmp_path):
    one = Agent(daemon, tmp_path)
    yield one
    one.init.stop()


def wait_state(agent, kernel_id, state):
    end = time.monotonic() + places.CEILING
    while time.monotonic() < end:
        model = agent.get(f"api/kernels/{kernel_id}")
        if model["execution_state"] == state:
            return model
        time.sleep(0.05)
    raise AssertionError(f"{model} is not {state}")
