"""A file of the audit that was altered anywhere is not right, and says where."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from baygrid.app.signatures import signed_by
from baygrid.centres.keys import Key
from baygrid.core.data.chain import START, End, Link, canonical, hidden, next_link
from baygrid.core.data.evidence import (
    END,
    EXPORTED,
    SIGNED,
    Difference,
    checked,
    end_document,
    evidence_document,
    fingerprint,
    first_altered_byte,
    first_difference,
    read_end,
    read_evidence,
    wrong_signature,
)
from baygrid.core.reading import Wrong
from baygrid.ports.bundles import Unreadable, load

PLATFORM, STRANGER = Key(b"a signing key of tests, of 32 b."), Key(b"another signing key of 32 bytes.")
CONTRACT = {"id": "con-1", "state": "FINALIZED", "purpose": "研究", "steps": [{"n": 0, "at": 5}]}


def links() -> list[Link]:
    """Those of con-1 are 2, 4 and 6; of link 1 nobody is told at all."""
    told: list[tuple[str, str | None, dict[str, Any]]] = [
        ("table-added", None, {"table": "demo/patients"}),
        ("contract-agree", "con-1", {"decision": {"outcome": "EXEMPT", "basis": ["Provisions 5(4)"]}}),
        ("read", "con-2", {"rows": 9}),
        ("read", "con-1", {"rows": 7, "table": "病人"}),
        ("read", "con-2", {"rows": 8}),
        (EXPORTED, "con-1", {"contract": "con-1", "sha256": fingerprint(CONTRACT)}),
    ]
    made: list[Link] = []
    end = START
    for kind, contract, data in told:
        link = next_link(
            end, 100 + end.n, kind, data, contract=contract, project="demo", salt=f"{end.n:032x}"
        )
        made.append(link)
        end = End(link.n, link.hash)
    return made


LINKS = links()


def signed(document: dict[str, Any], key: Key = PLATFORM) -> dict[str, Any]:
    rest = {name: value for name, value in document.items() if name != SIGNED}
    return {**rest, SIGNED: {"public_key": key.public_key, "signature": key.sign(canonical(rest))}}


def evidence(contract: dict[str, Any] | None = CONTRACT) -> dict[str, Any]:
    if contract is None:
        return signed(evidence_document(None, START, LINKS, 200))
    shown = [link if link.contract == "con-1" else hidden(link) for link in LINKS[1:]]
    return signed(evidence_document(contract, End(1, LINKS[0].hash), shown, 200))


def difference(document: dict[str, Any], **more: Any) -> Difference | None:
    return first_difference(read_evidence(json.loads(json.dumps(document))), signed_by, **more)


def test_evidence_is_right():
    it = read_evidence(evidence())
    assert first_difference(it, signed_by, PLATFORM.public_key) is None
    found = checked(it)
    assert (found.end, found.shown, found.hidden) == (End(6, LINKS[5].hash), 3, 2)
    assert 'rows":9' not in canonical(evidence()).decode()
    assert difference(evidence(None)) is None
    assert difference(signed(evidence_document(None, START, [], 200))) is None


def verified(text: bytes, key: str) -> str | None:
    """As `baygrid audit verify` does: what is wrong with a file, if anything is."""
    try:
        document = load(text)
        place = first_altered_byte(text, document)
        if place is not None:
            return f"byte {place}"
        found = first_difference(read_evidence(document), signed_by, key)
        return None if found is None else str(found)
    except (Unreadable, Wrong) as error:
        return str(error)
    except UnicodeEncodeError:
        return "no Unicode"


@pytest.mark.parametrize("bit", [0x01, 0x20, 0x80])
def test_each_byte_that_is_altered_is_found(bit: int):
    text = canonical(evidence())
    assert verified(text, PLATFORM.public_key) is None
    assert verified(text + b"\n", PLATFORM.public_key) is None
    for place in range(len(text)):
        altered = text[:place] + bytes([text[place] ^ bit]) + text[place + 1 :]
        assert verified(altered, PLATFORM.public_key), (place, altered[place - 20 : place + 20])


def test_each_byte_of_a_link_is_placed_there():
    """Where the file can still be read: JSON of the same shape."""
    text = canonical(evidence())
    start = text.index(b'{"at":103')
    end = text.index(b'"digest"', start)
    placed = 0
    for place in range(start, end):
        altered = text[:place] + bytes([text[place] ^ 0x01]) + text[place + 1 :]
        says = verified(altered, PLATFORM.public_key)
        assert says
        placed += says.startswith(("link 4: it is altered", "links[2]"))
    assert placed > 200


def test_a_byte_that_was_cut_off_or_put_in_is_found():
    text = canonical(evidence())
    for altered in (
        text[:-1],
        text[1:],
        text + b" ",
        text.replace(b":", b": ", 1),
        text + b"\n\n",
        b"",
        b"{}",
    ):
        assert verified(altered, PLATFORM.public_key)


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda it: it["links"][0]["data"]["decision"].clear(), "link 2: it is altered: its content"),
        (lambda it: it["links"][1].update(digest="0" * 64), "link 3: it is altered: its digest"),
        (lambda it: it["links"].pop(1), "link 3: it is missing"),
        (lambda it: it["links"].pop(), "link 6: it is missing: the chain was cut after link 5"),
        (lambda it: it["links"].pop(0), "link 2: it is missing"),
        (lambda it: it["links"].reverse(), "link 2: it is reordered"),
        (lambda it: it["from"].update(hash="0" * 64), "link 1: it is altered"),
        (lambda it: it["contract"].update(purpose="marketing"), "contract: it is another one than link 6"),
        (lambda it: it.update(issued_at=201), "signed.signature: it is not of this file"),
        (lambda it: it.update(signed(it, STRANGER)), "signed.public_key: it must be"),
    ],
)  # fmt: skip
def test_what_was_altered_is_named(change: Change, place: str):
    document = copy.deepcopy(evidence())
    change(document)
    assert place in str(difference(document, platform_key=PLATFORM.public_key))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda it: it["end"].update(n=5, hash=it["links"][3]["hash"]), "end: it says 5, and the last"),
        (lambda it: it["contract"].update(id="con-2"), "link 2: it is of 'con-1', not of contract 'con-2'"),
        (lambda it: it.update(contract=None, **{"from": {"n": 0, "hash": "1" * 64}}, links=[],
                              end={"n": 0, "hash": "1" * 64}), "from: nothing is before link 1"),
    ],
)  # fmt: skip
def test_what_the_platform_itself_signed_wrongly_is_named(change: Change, place: str):
    document = copy.deepcopy(evidence())
    change(document)
    assert place in str(difference(signed(document), platform_key=PLATFORM.public_key))


def test_a_signed_end_of_earlier_days_shows_what_was_written_anew():
    """The platform has altered link 3, made all later hashes anew and signed that."""
    kept = End(4, LINKS[3].hash)
    assert difference(evidence(None), end=kept) is None
    made = LINKS[:2]
    for link in LINKS[2:]:
        end, data = End(made[-1].n, made[-1].hash), {**link.data, "rows": 1}
        made.append(
            next_link(end, link.at, link.kind, data, contract=link.contract, project=None, salt="0" * 32)
        )
    document = signed(evidence_document(None, START, made, 200))
    assert difference(document) is None
    assert str(difference(document, end=kept)).startswith("link 4: it is altered: it, or one before it")
    cut = signed(evidence_document(None, START, LINKS[:3], 200))
    assert difference(cut) is None
    assert str(difference(cut, end=kept)).startswith("link 4: it is missing: the chain was cut after link 3")


def test_ends():
    end = End(6, LINKS[5].hash)
    document = signed({"baygrid": END, "issued_at": 5, "end": end_document(end)})
    found, signature = read_end(document)
    assert found == end
    assert wrong_signature(signature, signed_by, PLATFORM.public_key) is None
    assert wrong_signature(signature, signed_by, STRANGER.public_key) is not None
    document["end"]["n"] = 5
    assert wrong_signature(read_end(document)[1], signed_by, None) is not None
    assert read_end(evidence())[0] == end
    with pytest.raises(Wrong, match="no end of an audit"):
        read_end({**document, "baygrid": "bill"})


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.pop("from"),
        lambda it: it.update(more=1),
        lambda it: it.update(baygrid="audit-end-1"),
        lambda it: it.update(contract=[]),
        lambda it: it.update(issued_at=True),
        lambda it: it["links"].append(3),
        lambda it: it["links"][0].pop("salt"),
        lambda it: it["links"][0].update(n="2"),
        lambda it: it["links"][0].update(project=5),
        lambda it: it["links"][0].update(data=[]),
        lambda it: it["links"][1].update(kind="read"),
        lambda it: it["links"][1].update(hash="A" * 64),
        lambda it: it["end"].update(hash=""),
        lambda it: it[SIGNED].update(signature="AB" * 64),
        lambda it: it[SIGNED].update(public_key=it[SIGNED]["public_key"].upper()),
    ],
)
def test_what_has_another_shape_is_no_evidence(change: Change):
    document = copy.deepcopy(evidence())
    change(document)
    with pytest.raises(Wrong):
        read_evidence(document)
