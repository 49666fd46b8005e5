import pytest

from audit.record.distribution import find_distribution


@pytest.fixture
def environment(tmp_path):
    """An environment with one distribution, as pip leaves it."""
    packages = tmp_path / "lib" / "python3.11" / "site-packages"
    info = packages / "my_client-1.0.5.dist-info"
    (packages / "my_client").mkdir(parents=True)
    info.mkdir()
    (packages / "my_client" / "__init__.py").write_text("x = 1\n")
    (packages / "my_client" / "cache.pyc").write_bytes(b"one")
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: my-client\nVersion: 1.0.5\n\nHello\n"
    )
    (info / "INSTALLER").write_text("pip\n")
    (info / "RECORD").write_text(
        "my_client/__init__.py,sha256=x,6\nmy_client/cache.pyc,,\n../../../bin/my-client,sha256=y,9\n"
        "my_client-1.0.5.dist-info/METADATA,sha256=z,50\nmy_client-1.0.5.dist-info/INSTALLER,sha256=w,4\n"
    )
    return tmp_path


def find(environment, name="My.Client"):
    return find_distribution(environment / "bin" / "python", name)


def test_names_are_compared_as_pip_does(environment):
    assert find(environment).version == "1.0.5"
    assert find(environment, "my-client-too") is None


def test_the_digest_follows_the_code_and_not_the_installation(environment):
    before = find(environment).digest
    packages = environment / "lib" / "python3.11" / "site-packages"
    (packages / "my_client" / "cache.pyc").write_bytes(b"two")
    (packages / "my_client-1.0.5.dist-info" / "INSTALLER").write_text("uv\n")
    assert find(environment).digest == before
    (packages / "my_client" / "__init__.py").write_text("x = 2\n")
    assert find(environment).digest != before
