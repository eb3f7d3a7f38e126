"""Servers for the tests of hosts: one plain, and some that are awkward."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.loopback import Keys, Server, missing_server, started
from zfsctl.hosts.ssh import SshHost
from zfsctl.model.policy import Transport


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    if missing := missing_server():
        pytest.skip(missing)
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Server]:
    """A server as everybody has it."""
    yield from started(tmp_path_factory, keys)


@pytest.fixture
def fragile_server(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> Iterator[Server]:
    """A server of one test's own, whose connections may be cut."""
    yield from started(tmp_path_factory, keys)


@pytest.fixture(params=[Transport.FABRIC, pytest.param(Transport.OPENSSH, marks=pytest.mark.slow)])
def transport(request: pytest.FixtureRequest) -> Transport:
    """Every test that asks for it runs over both; the inner loop is content with the default one."""
    assert isinstance(request.param, Transport)
    return request.param


@pytest.fixture(scope="session", params=list(Transport))
def box(server: Server, request: pytest.FixtureRequest) -> Iterator[SshHost]:
    """A host on the plain server over either transport, already dialled by whoever came first."""
    host = SshHost(server.entry(transport=request.param))
    yield host
    host.close()
