"""How to reach an API server: a kubeconfig, or what every pod finds about itself.

Only what names a key or a token is read. Plugins that run a program for a login belong to people; an agent
has a service account of its own.
"""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")


class BadKubeconfig(ValueError):
    """The file does not say how to reach an API server; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Access:
    """An API server and who we are to it: a token, a file that holds one and may change, or a certificate
    with its key (PEM). `authority`: PEM of the CA that signed the server's certificate; None: the
    system's."""

    server: str
    authority: str | None
    token: str | None = None
    token_file: Path | None = None
    certificate: str | None = None
    key: str | None = None
    server_name: str | None = None

    def authorization(self) -> dict[str, str]:
        """Headers. A token's file is read each time: those of service accounts change every hour."""
        token = self.token_file.read_text().strip() if self.token_file is not None else self.token
        return {"Authorization": f"Bearer {token}"} if token else {}

    def tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.authority)
        if self.certificate is not None and self.key is not None:
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:  # ssl reads a key from a file only
                pair.write(f"{self.certificate}\n{self.key}\n")
                pair.flush()
                context.load_cert_chain(pair.name)
        return context


def read_kubeconfig(path: Path, context: str | None = None) -> Access:
    """The context named, or the current one. Raises BadKubeconfig."""
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise BadKubeconfig(f"{path}: {error}") from None
    if not isinstance(document, dict):
        raise BadKubeconfig(f"{path} is not a kubeconfig")
    name = context or document.get("current-context")
    if not name:
        raise BadKubeconfig(f"{path} has no current-context: name one")
    chosen = _named(document, "context", name)
    cluster = _named(document, "cluster", chosen.get("cluster"))
    user = _named(document, "user", chosen.get("user"))
    return _access(cluster, user, path.parent)


def in_cluster(environ: Mapping[str, str], folder: Path = IN_CLUSTER) -> Access:
    """For an agent that runs in a pod. Raises BadKubeconfig."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host or not (folder / "token").exists():
        raise BadKubeconfig("not in a pod with a service account: name a kubeconfig")
    host = f"[{host}]" if ":" in host else host
    authority = (folder / "ca.crt").read_text()
    return Access(f"https://{host}:{port}", authority, token_file=folder / "token")


def _access(cluster: Mapping[str, Any], user: Mapping[str, Any], beside: Path) -> Access:
    server = cluster.get("server")
    if not isinstance(server, str) or not server.startswith("https://"):
        raise BadKubeconfig(f"the server must be an https address, not {server!r}")
    if cluster.get("insecure-skip-tls-verify"):
        raise BadKubeconfig("insecure-skip-tls-verify is not done here: give certificate-authority")
    if "exec" in user or "auth-provider" in user:
        raise BadKubeconfig(
            "a login by a program is not done here: give a service account's token or tokenFile"
        )
    certificate, key = _pem(user, "client-certificate", beside), _pem(user, "client-key", beside)
    token, token_file = user.get("token"), user.get("tokenFile")
    if not token and not token_file and (certificate is None or key is None):
        raise BadKubeconfig("the user has neither token, tokenFile nor client-certificate with client-key")
    return Access(
        server=server.rstrip("/"),
        authority=_pem(cluster, "certificate-authority", beside),
        token=token,
        token_file=beside / token_file if token_file else None,
        certificate=certificate,
        key=key,
        server_name=cluster.get("tls-server-name"),
    )


def _named(document: Mapping[str, Any], kind: str, name: object) -> Mapping[str, Any]:
    for entry in document.get(f"{kind}s") or ():
        if isinstance(entry, dict) and entry.get("name") == name and isinstance(entry.get(kind), dict):
            found: Mapping[str, Any] = entry[kind]
            return found
    raise BadKubeconfig(f"there is no {kind} {name!r} in the kubeconfig")


def _pem(part: Mapping[str, Any], name: str, beside: Path) -> str | None:
    """Given as a file or, in base64, in place."""
    try:
        if inline := part.get(f"{name}-data"):
            return base64.b64decode(inline, validate=True).decode()
        return (beside / part[name]).read_text() if part.get(name) else None
    except (OSError, binascii.Error, UnicodeDecodeError) as error:
        raise BadKubeconfig(f"{name}: {error}") from None
