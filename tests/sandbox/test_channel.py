import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.sandbox.channel import Channel, Closed, JobSpec, Mount, job_from_message


@pytest.fixture
def ends():
    one, two = (Channel(end) for end in socket.socketpair())
    yield one, two
    one.close()
    two.close()


MESSAGES = st.dictionaries(
    st.text(max_size=5), st.text(max_size=20) | st.integers() | st.booleans(), max_size=3
)


@given(messages=st.lists(MESSAGES, max_size=4))
def test_messages_come_out_as_they_went_in(messages):
    one, two = (Channel(end) for end in socket.socketpair())
    for message in messages:
        one.send(message)
    assert [two.receive() for _ in messages] == [(message, []) for message in messages]
    one.close()
    with pytest.raises(Closed):
        two.receive()
    two.close()


def test_descriptors_travel_with_their_message_and_are_not_inherited(ends, tmp_path):
    one, two = ends
    path = tmp_path / "file"
    path.write_text("hello")
    with path.open() as file:
        one.send({"n": 1}, [file.fileno()])
        one.send({"n": 2})
    message, (descriptor,) = two.receive()
    assert message == {"n": 1}
    assert not os.get_inheritable(descriptor)
    with os.fdopen(descriptor) as file:
        assert file.read() == "hello"
    assert two.receive() == ({"n": 2}, [])


def test_sending_to_nobody_says_so(ends):
    one, two = ends
    two.close()
    with pytest.raises(Closed):
        one.send({"x": 1})


@given(data=st.binary(min_size=1, max_size=30))
def test_garbage_never_blocks_a_reader(data):
    left, right = socket.socketpair()
    channel = Channel(right)
    left.sendall(b"\xff" + data)
    left.close()
    with pytest.raises((Closed, ValueError)):
        channel.receive()
    channel.close()


def test_a_job_survives_the_way():
    job = JobSpec(
        argv=["/bin/true"], env={"A": "b"}, cwd="/", place="client", powers="client", own_pids=True,
        mounts=[Mount(kind="bind", source="/a", target="/b", optional=True)],
    )  # fmt: skip
    assert job_from_message(job.to_message()) == job
