"""Mail to a real SMTP server: once each, encrypted, and after an interruption nobody gets it twice."""

from __future__ import annotations

import email
import ipaddress
import json
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from baygrid.core.days import REGION
from baygrid.letter import sending
from baygrid.letter.issue import read
from baygrid.letter.mail import composer, key
from baygrid.letter.reading import Unreadable
from baygrid.letter.recipients import Recipient
from baygrid.letter.recipients import read as read_recipients
from baygrid.letter.smtp import Server, Smtp, Tls
from baygrid.ports.mailer import InDoubt, NotSent, Unreachable
from tests.letter.issues import FIRST
from tests.letter.postbox import Postbox, serving

NOW = datetime(2026, 11, 24, 9, tzinfo=REGION)
PEOPLE = [
    Recipient("hanako@a.example", "ja", "山田 花子", "https://letter.example.org/stop?to=1"),
    Recipient("li@b.example", "zh-Hans"),
    Recipient("chan@c.example", "zh-Hant"),
    Recipient("jo@d.example", "en", "Jo, of D"),
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, its key in the same file."""
    secret = ec.generate_private_key(ec.SECP256R1())
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(secret.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(secret, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    no_password = serialization.NoEncryption()
    pem = secret.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, no_password)
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + pem)
    return path


def context(certificate: Path) -> ssl.SSLContext:
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.load_cert_chain(certificate)
    return made


@pytest.fixture
def box() -> Postbox:
    return Postbox()


@pytest.fixture
def server(box: Postbox) -> Iterator[Server]:
    with serving(box) as port:
        yield Server("127.0.0.1", port, Tls.NONE)


def compose(to: Recipient) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "letter@example.org", to.email, "x"
    message.set_content("x")
    return message


def send(server: Server, journal: Path, people=PEOPLE, again=(), compose: Callable = compose) -> sending.Sent:
    with sending.journal(journal) as known, Smtp(server) as mailer:
        return sending.send(people, compose, mailer, known, frozenset(again))


def test_each_gets_one_message_in_their_language(box: Postbox, server: Server, tmp_path: Path):
    done = send(server, tmp_path / "sent", compose=composer(read(FIRST), NOW))
    assert done.sent == [it.email for it in PEOPLE] == box.to
    for to, (sender, recipients, content, _) in zip(PEOPLE, box.taken, strict=True):
        assert (sender, recipients) == ("letter@example.org", [to.email])
        message = email.message_from_bytes(content, policy=default)
        assert message["Content-Language"] == to.language
        assert [it.addr_spec for it in message["To"].addresses] == [to.email]
        assert message["Date"].datetime == NOW
        assert f"-{key(to.email)}@example.org" in message["Message-ID"]
        assert message["To"].addresses[0].display_name == to.name
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        assert text is not None
        assert html is not None
        link = f"https://letter.example.org/issues/001/{to.language}/index.html"
        for body in (text.get_content(), html.get_content()):
            assert link in body
            assert "289" in body
            assert "letter@example.org" in body
        assert f'lang="{to.language}"' in html.get_content()
        assert all(other.email not in content.decode("ascii") for other in PEOPLE if other is not to)


def test_each_can_unsubscribe(box: Postbox, server: Server, tmp_path: Path):
    send(server, tmp_path / "sent", PEOPLE[:2], compose=composer(read(FIRST), NOW))
    one, other = (email.message_from_bytes(it[2], policy=default) for it in box.taken)
    stop = "<mailto:letter@example.org?subject=unsubscribe>"
    assert one["List-Unsubscribe"] == f"<{PEOPLE[0].unsubscribe}>, {stop}"
    assert one["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert other["List-Unsubscribe"] == stop
    assert other["List-Unsubscribe-Post"] is None


def test_a_second_call_sends_to_nobody_twice(box: Postbox, server: Server, tmp_path: Path):
    send(server, tmp_path / "sent", PEOPLE[:2])
    done = send(server, tmp_path / "sent")
    assert done.before == [it.email for it in PEOPLE[:2]]
    assert box.to == [it.email for it in PEOPLE]


def test_a_process_killed_at_any_moment_sends_nothing_twice(box: Postbox, server: Server, tmp_path: Path):
    """Killed before or after the server took the second message: which of these nobody can tell."""

    class Killed(BaseException):
        pass

    class Dying(Smtp):
        before: bool

        def send(self, message: EmailMessage) -> None:
            second = message["To"] == PEOPLE[1].email
            if second and self.before:
                raise Killed
            super().send(message)
            if second:
                raise Killed

    for before in (True, False):
        journal = tmp_path / f"sent-{before}"
        box.taken.clear()
        with sending.journal(journal) as known, Dying(server) as mailer:
            mailer.before = before
            with pytest.raises(Killed):
                sending.send(PEOPLE, compose, mailer, known)
        done = send(server, journal)
        assert done.in_doubt == [PEOPLE[1].email]
        assert box.to.count(PEOPLE[1].email) == (0 if before else 1)
        assert sorted({*box.to, PEOPLE[1].email}) == sorted(it.email for it in PEOPLE)
        assert len(box.to) == len(set(box.to))
        done = send(server, journal, again=[PEOPLE[1].email])
        assert done.sent == [PEOPLE[1].email]


def test_a_connection_lost_after_the_data_leaves_one_in_doubt(box: Postbox, server: Server, tmp_path: Path):
    box.data[PEOPLE[1].email] = "lost"
    done = send(server, tmp_path / "sent")
    assert done.in_doubt == [PEOPLE[1].email]
    assert done.sent == [it.email for it in (PEOPLE[0], *PEOPLE[2:])]
    box.data.clear()
    assert send(server, tmp_path / "sent").in_doubt == [PEOPLE[1].email]
    assert box.to.count(PEOPLE[1].email) == 1


def test_a_refusal_is_told_and_what_may_pass_is_tried_again(box: Postbox, server: Server, tmp_path: Path):
    box.rcpt = {PEOPLE[0].email: "550 nobody here", PEOPLE[1].email: "450 come back"}
    box.data = {PEOPLE[2].email: "554 not wanted"}
    done = send(server, tmp_path / "sent")
    assert done.refused == [(PEOPLE[0].email, "550 nobody here"), (PEOPLE[2].email, "554 not wanted")]
    assert done.later == [(PEOPLE[1].email, "450 come back")]
    assert done.sent == [PEOPLE[3].email]
    box.rcpt, box.data = {}, {}
    done = send(server, tmp_path / "sent")
    assert done.sent == [PEOPLE[1].email]
    assert [address for address, _ in done.refused] == [PEOPLE[0].email, PEOPLE[2].email]
    assert send(server, tmp_path / "sent", again=[PEOPLE[0].email]).sent == [PEOPLE[0].email]


def test_no_two_send_at_once(server: Server, tmp_path: Path):
    with sending.journal(tmp_path / "sent"), pytest.raises(sending.Busy), sending.journal(tmp_path / "sent"):
        pass


def test_the_journal_has_no_address_and_survives_half_a_line(server: Server, box: Postbox, tmp_path: Path):
    journal = tmp_path / "sent"
    send(server, journal, PEOPLE[:1])
    assert "hanako" not in journal.read_text("utf-8")
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"to": key(PEOPLE[1].email), "state": "begun"})[:30])
    assert send(server, journal, PEOPLE[:2]).sent == [PEOPLE[1].email]
    assert send(server, journal, PEOPLE[:2]).before == [it.email for it in PEOPLE[:2]]


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.TLS])
def test_the_way_is_encrypted_and_the_server_known(box: Postbox, tmp_path: Path, certificate: Path, tls: Tls):
    known = context(certificate)
    settings = {"tls_context": known, "require_starttls": True} if tls is Tls.STARTTLS else {}
    with serving(box, wrapped=known if tls is Tls.TLS else None, **settings) as port:
        assert send(Server("127.0.0.1", port, tls, ca=certificate), tmp_path / "a", PEOPLE[:1]).sent
        assert [encrypted for *_, encrypted in box.taken] == [True]
        with pytest.raises(Unreachable, match="CERTIFICATE_VERIFY_FAILED"):
            send(Server("127.0.0.1", port, tls), tmp_path / "b", PEOPLE[:1])
        assert len(box.taken) == 1


def test_a_password_goes_only_by_tls_and_must_be_right(box: Postbox, tmp_path: Path, certificate: Path):
    def check(server, session, envelope, mechanism, data) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"me", b"right"), handled=False)

    known = context(certificate)
    with serving(box, tls_context=known, authenticator=check, auth_required=True) as port:
        right = Server("127.0.0.1", port, Tls.STARTTLS, "me", "right", certificate)
        assert send(right, tmp_path / "a", PEOPLE[:1]).sent
        wrong = Server("127.0.0.1", port, Tls.STARTTLS, "me", "wrong", certificate)
        with pytest.raises(Unreachable, match="535"):
            send(wrong, tmp_path / "b", PEOPLE[:1])


def test_where_no_server_is_nothing_is_lost(box: Postbox, server: Server, tmp_path: Path):
    nowhere = Server("127.0.0.1", 1, Tls.NONE)
    with pytest.raises(Unreachable, match="cannot be used"):
        send(nowhere, tmp_path / "sent")
    assert send(server, tmp_path / "sent").sent == [it.email for it in PEOPLE]


def test_what_the_port_promises_is_what_it_raises(box: Postbox, server: Server):
    box.rcpt = {PEOPLE[0].email: "550 no"}
    box.data = {PEOPLE[1].email: "lost"}
    with Smtp(server) as mailer:
        with pytest.raises(NotSent) as told:
            mailer.send(compose(PEOPLE[0]))
        assert not told.value.later
        with pytest.raises(InDoubt):
            mailer.send(compose(PEOPLE[1]))
        mailer.send(compose(PEOPLE[2]))
    assert box.to == [PEOPLE[1].email, PEOPLE[2].email]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("email\na@b.example\n", "must have the columns email and language"),
        ("email,language,age\n", "must have the columns"),
        ("email,language\na@b.example\n", "line 2: has not as many values"),
        ("email,language\nnobody,ja\n", "line 2: 'nobody' is no mail address"),
        ('email,language\n"a@b.example\nBcc: c@d.example",ja\n', "is no mail address"),
        ("email,language\na@b.example,fr\n", "line 2: the language 'fr' is none of"),
        ("email,language\na@b.example,ja\nA@B.example,en\n", "line 3: A@B.example stands there twice"),
        ("email,language,unsubscribe\na@b.example,ja,http://x\n", "must be an https address"),
        ('email,language,name\na@b.example,ja,"x\ny"\n', "cannot be printed"),
    ],
)  # fmt: skip
def test_a_list_with_a_mistake_is_refused_whole(tmp_path: Path, text: str, why: str):
    (tmp_path / "people.csv").write_text(text, encoding="utf-8")
    with pytest.raises(Unreadable, match=why):
        read_recipients(tmp_path / "people.csv")


def test_a_list_of_a_spreadsheet_is_read(tmp_path: Path):
    (tmp_path / "people.csv").write_bytes("\ufeffemail,language,name\r\na@b.example,ja,花子\r\n".encode())
    assert read_recipients(tmp_path / "people.csv") == [Recipient("a@b.example", "ja", "花子")]
