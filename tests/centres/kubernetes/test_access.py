"""How an API server is reached, and what its answers mean."""

import base64
import json

import httpx2
import pytest
import yaml

from baygrid.centres.engine import EngineSilent
from baygrid.centres.kubernetes.access import Access, BadKubeconfig, in_cluster, read_kubeconfig
from baygrid.centres.kubernetes.client import Client, Rejected


def written(tmp_path, cluster=None, user=None, **more):
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster or {"server": "https://k8s.example:6443/"}}],
        "users": [{"name": "u", "user": user if user is not None else {"token": "t0ken"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
        **more,
    }
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_token(tmp_path):
    (tmp_path / "ca.crt").write_text("PEM")
    cluster = {"server": "https://k8s.example:6443/", "certificate-authority": "ca.crt"}
    access = read_kubeconfig(written(tmp_path, cluster))
    assert access == Access("https://k8s.example:6443", "PEM", token="t0ken")
    assert access.authorization() == {"Authorization": "Bearer t0ken"}


def test_a_tokens_file_is_read_each_time(tmp_path):
    (tmp_path / "token").write_text("one\n")
    access = read_kubeconfig(written(tmp_path, user={"tokenFile": "token"}))
    assert access.authorization() == {"Authorization": "Bearer one"}
    (tmp_path / "token").write_text("two\n")
    assert access.authorization() == {"Authorization": "Bearer two"}


def test_a_certificate_in_place(tmp_path):
    def data(text):
        return base64.b64encode(text.encode()).decode()

    access = read_kubeconfig(
        written(
            tmp_path,
            {"server": "https://a", "certificate-authority-data": data("CA"), "tls-server-name": "b"},
            {"client-certificate-data": data("CERT"), "client-key-data": data("KEY")},
        )
    )
    assert access == Access("https://a", "CA", certificate="CERT", key="KEY", server_name="b")
    assert access.authorization() == {}


def test_another_context_than_the_current_one(tmp_path):
    contexts = [{"name": "y", "context": {"cluster": "c", "user": "u"}}]
    path = written(tmp_path, contexts=contexts)
    assert read_kubeconfig(path, "y").token == "t0ken"
    with pytest.raises(BadKubeconfig, match="no context 'x'"):
        read_kubeconfig(path)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"cluster": {"server": "http://plain"}}, "https"),
        ({"cluster": {"server": "https://a", "insecure-skip-tls-verify": True}}, "certificate-authority"),
        ({"cluster": {"server": "https://a", "certificate-authority": "missing.crt"}}, "missing.crt"),
        ({"cluster": {"server": "https://a", "certificate-authority-data": "%"}}, "certificate-authority"),
        ({"user": {}}, "neither token"),
        ({"user": {"exec": {"command": "aws"}}}, "login by a program"),
        ({"users": None}, "no user 'u'"),
        ({"current-context": ""}, "current-context"),
    ],
    ids=str,
)
def test_a_kubeconfig_that_does_not_say_how_is_refused_with_a_reason(tmp_path, change, why):
    with pytest.raises(BadKubeconfig, match=why):
        read_kubeconfig(written(tmp_path, **change))


@pytest.mark.parametrize("text", ["", "[", "a list", "- 1"])
def test_what_is_no_kubeconfig(tmp_path, text):
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    with pytest.raises(BadKubeconfig):
        read_kubeconfig(path)
    with pytest.raises(BadKubeconfig):
        read_kubeconfig(tmp_path / "missing")


def test_in_a_pod(tmp_path):
    with pytest.raises(BadKubeconfig):
        in_cluster({}, tmp_path)
    (tmp_path / "token").write_text("t")
    (tmp_path / "ca.crt").write_text("CA")
    environ = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    access = in_cluster(environ, tmp_path)
    assert (access.server, access.authority) == ("https://[fd00::1]:443", "CA")
    assert access.authorization() == {"Authorization": "Bearer t"}


def client(handler):
    return Client(Access("https://k8s.example", None, token="t"), transport=httpx2.MockTransport(handler))


def test_a_long_list_comes_page_by_page():
    pages = {
        "": {"items": [{"n": 1}], "metadata": {"continue": "a"}},
        "a": {"items": [{"n": 2}], "metadata": {"continue": "b"}},
        "b": {"items": None, "metadata": {}},
    }
    asked = []

    def handler(request):
        asked.append(dict(request.url.params))
        return httpx2.Response(200, json=pages[request.url.params.get("continue", "")])

    assert client(handler).listed("/api/v1/pods", labelSelector="a=b") == [{"n": 1}, {"n": 2}]
    assert asked[0] == {"limit": "500", "labelSelector": "a=b"}
    assert [one.get("continue") for one in asked] == [None, "a", "b"]


def test_a_list_that_grew_too_old_begins_again():
    answers = iter(
        [(200, {"items": [{"n": 1}], "metadata": {"continue": "a"}}), (410, {}), (200, {"items": [{"n": 3}]})]
    )

    def handler(request):
        status, body = next(answers)
        return httpx2.Response(status, json=body)

    assert client(handler).listed("/api/v1/pods") == [{"n": 3}]


@pytest.mark.parametrize("status", [401, 429, 500, 503, 302])
def test_what_says_nothing_about_what_was_asked_is_silence(status):
    with pytest.raises(EngineSilent):
        client(lambda request: httpx2.Response(status, json={"message": "x"})).get("/version")


def test_an_answer_that_cannot_be_read_and_one_that_does_not_come_are_silence():
    def lost(request):
        raise httpx2.ReadError("the connection was lost")

    for handler in (lambda request: httpx2.Response(200, content=b"<html>"), lost):
        with pytest.raises(EngineSilent):
            client(handler).get("/version")


def test_a_token_that_cannot_be_read_is_silence(tmp_path):
    access = Access("https://k8s.example", None, token_file=tmp_path / "missing")
    asking = Client(access, transport=httpx2.MockTransport(lambda request: httpx2.Response(200)))
    with pytest.raises(EngineSilent, match="missing"):
        asking.get("/version")


def test_a_no_is_told_with_its_word():
    said = {"kind": "Status", "reason": "Invalid", "message": "spec.x: must be positive"}
    with pytest.raises(Rejected, match="must be positive") as rejected:
        client(lambda request: httpx2.Response(422, json=said)).create("/x", {"a": 1})
    assert (rejected.value.status, rejected.value.reason) == (422, "Invalid")


def test_bodies_and_credentials_are_sent_as_they_must_be():
    seen = []

    def handler(request):
        seen.append(
            (request.method, request.headers.get("content-type"), json.loads(request.content or b"null"))
        )
        assert request.headers["authorization"] == "Bearer t"
        return httpx2.Response(200, json={})

    asking = client(handler)
    asking.create("/x", {"a": 1})
    asking.patch("/x/1", {"b": None})
    asking.delete("/x", {"c": 2}, labelSelector="d")
    asking.get("/x")
    assert seen == [
        ("POST", "application/json", {"a": 1}),
        ("PATCH", "application/merge-patch+json", {"b": None}),
        ("DELETE", "application/json", {"c": 2}),
        ("GET", None, None),
    ]
