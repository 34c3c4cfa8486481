"""Sealed values in the store, and what seals them."""

import base64
import os
import stat

import pytest

from baygrid.ports.records import SecretRecord
from baygrid.ports.store import Store
from baygrid.store.vault import AesVault, key_file, parse_keys

OLD, NEW = b"o" * 32, b"n" * 32


def row(name: str = "TOKEN", project: str = "demo", key: str = "k1", sealed: str = "k1:x") -> SecretRecord:
    return SecretRecord(project, name, sealed, key, 5, "tok-1")


def test_one_value_by_name(store: Store):
    for one in (row(), row("A"), row(project="other"), row(sealed="k2:y", key="k2")):
        store.write(lambda tx: tx.secrets.put(one))  # noqa: B023 - it runs at once
    assert store.read(lambda tx: tx.secrets.of("demo")) == [row("A"), row(sealed="k2:y", key="k2")]
    assert store.read(lambda tx: tx.secrets.sealed_otherwise("k1")) == [row(sealed="k2:y", key="k2")]
    assert store.write(lambda tx: tx.secrets.delete("demo", "TOKEN"))
    assert not store.write(lambda tx: tx.secrets.delete("demo", "TOKEN"))
    assert store.read(lambda tx: [one.project for one in tx.secrets.sealed_otherwise("k2")]) == [
        "demo",
        "other",
    ]


def test_what_is_sealed_is_opened_by_any_key_that_sealed_it():
    old = AesVault([OLD])
    sealed = old.seal("the value", "demo/A")
    assert "the value" not in sealed
    assert sealed != old.seal("the value", "demo/A"), "each has its own nonce"
    both = AesVault([NEW, OLD])
    assert both.key != old.key
    assert both.open(sealed, "demo/A") == "the value"
    with pytest.raises(ValueError, match="does not have"):
        AesVault([NEW]).open(sealed, "demo/A")


def test_what_was_changed_or_moved_is_refused():
    vault = AesVault([NEW])
    sealed = vault.seal("the value", "demo/A")
    name, _, rest = sealed.partition(":")
    data = bytearray(base64.b64decode(rest))
    data[-1] ^= 1
    changed = f"{name}:{base64.b64encode(data).decode()}"
    for text, about in (
        (sealed, "demo/B"),
        (changed, "demo/A"),
        (f"{name}:!", "demo/A"),
        (f"{name}:", "demo/A"),
    ):
        with pytest.raises(ValueError, match="not what was sealed"):
            vault.open(text, about)


def test_keys_as_text():
    text = f"{base64.b64encode(NEW).decode()}\n{base64.urlsafe_b64encode(OLD).decode()}\n"
    assert parse_keys(text) == parse_keys(text.replace("\n", ",")) == [NEW, OLD]
    for wrong in ("", "short", "a!" * 22, base64.b64encode(b"x" * 31).decode()):
        with pytest.raises(ValueError, match="openssl rand") as found:
            parse_keys(wrong)
        assert not wrong or wrong not in str(found.value)


def test_the_first_start_makes_a_key_that_only_its_owner_reads(tmp_path):
    path = tmp_path / "secrets.key"
    before = os.umask(0)
    try:
        made = key_file(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_file(path) == made
    assert len(parse_keys(made)) == 1
