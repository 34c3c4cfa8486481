"""Which server and which token, and that the token goes nowhere else."""

import stat
from pathlib import Path

import pytest

from baygrid.cli.errors import CliError
from baygrid.client import config
from baygrid.client.config import Access, Config


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path)}


@pytest.fixture
def logged_in(environ) -> dict[str, str]:
    config.save(config.config_path(environ), Config("https://region.example", "stored"))
    return environ


def test_without_anything_it_is_the_embedded_server(environ):
    assert config.access(None, None, environ) == Access("http://127.0.0.1:8470", None)


def test_the_file_of_the_login(logged_in):
    assert config.access(None, None, logged_in) == Access("https://region.example", "stored")


def test_environment_before_file_and_options_before_environment(logged_in):
    logged_in |= {"BAYGRID_SERVER": "http://env:1", "BAYGRID_TOKEN": "env"}
    assert config.access(None, None, logged_in) == Access("http://env:1", "env")
    assert config.access("http://opt:2", "opt", logged_in) == Access("http://opt:2", "opt")


def test_the_stored_token_goes_only_to_its_own_server(logged_in):
    assert config.access("https://elsewhere.example", None, logged_in).token is None
    assert config.access("https://region.example/", None, logged_in).token == "stored"


def test_only_the_owner_may_read_the_file(logged_in):
    path = config.config_path(logged_in)
    config.save(path, Config("https://region.example", "newer"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert config.load(path) == Config("https://region.example", "newer")
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"server": 1}', "\xff"])
def test_a_broken_file_says_how_to_mend_it(environ, text):
    path = config.config_path(environ)
    path.parent.mkdir(parents=True)
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CliError, match="cannot be read") as refused:
        config.access(None, None, environ)
    assert "baygrid login" in refused.value.cure


def test_an_address_may_leave_the_scheme_out(environ):
    assert config.access("localhost:8470", "t", environ).server == "http://localhost:8470"
    with pytest.raises(CliError, match="no address"):
        config.access("ftp://x", "t", environ)


@pytest.mark.parametrize("token", ["", "  "])
def test_an_empty_token_is_not_the_remembered_one(tmp_path, token):
    """A script's variable that is not set must not act with an operator's rights."""
    environ = {"XDG_CONFIG_HOME": str(tmp_path)}
    config.save(config.config_path(environ), config.Config("http://127.0.0.1:1", "operator", by="serve"))
    with pytest.raises(CliError, match="the token is empty"):
        config.access(None, token, environ)
