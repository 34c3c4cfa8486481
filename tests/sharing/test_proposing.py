"""Proposals: what names and values look like, and why."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from baygrid.core.data.labelling import contradiction
from baygrid.core.data.labels import Important, Labels, Origin
from baygrid.ports.reader import Format, Source
from baygrid.sharing.places.allowed import Allowed
from baygrid.sharing.proposing import kinds, names, values
from baygrid.sharing.proposing.proposal import proposed
from tests.sharing.here import Here


def card(number: int) -> str:
    """A made-up identity card number whose check digit fits."""
    first = f"44030519{60 + number % 40:02}{1 + number % 12:02}{1 + number % 28:02}{number % 1000:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return first + "10X98765432"[sum(int(d) * w for d, w in zip(first, weights, strict=True)) % 11]


def luhn(number: int) -> str:
    first = f"62220212345{number:07}"
    total = sum(sum(divmod(int(d) * (1 + (n + 1) % 2), 10)) for n, d in enumerate(reversed(first)))
    return first + str(-total % 10)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ("id_card_no", kinds.MAINLAND_CARD), ("身份证号码", kinds.MAINLAND_CARD),
        ("身份證號碼", kinds.MAINLAND_CARD), ("HKID", kinds.HONG_KONG_CARD),
        ("香港身份證號碼", kinds.HONG_KONG_CARD), ("passportNo", kinds.PASSPORT), ("回鄉證", kinds.PASSPORT),
        ("customer_id", kinds.PERSON_KEY), ("病历号", kinds.PERSON_KEY), ("会员编号", kinds.PERSON_KEY),
        ("custPhoneNumber", kinds.PHONE), ("手機", kinds.PHONE), ("手机号", kinds.PHONE),
        ("E-Mail", kinds.EMAIL), ("電郵", kinds.EMAIL), ("bank_card", kinds.BANK_CARD),
        ("銀行卡號", kinds.BANK_CARD), ("lastname", kinds.PERSON_NAME), ("patient name", kinds.PERSON_NAME),
        ("患者姓名", kinds.PERSON_NAME), ("ip_address", kinds.DEVICE), ("车牌号", kinds.PLATE),
        ("住址", kinds.ADDRESS), ("出生日期", kinds.BIRTH), ("DateOfBirth", kinds.BIRTH),
        ("診斷", kinds.HEALTH), ("diagnosis_code", kinds.HEALTH), ("指纹", kinds.BIOMETRIC),
        ("religion", kinds.BELIEF), ("经度", kinds.WHEREABOUTS), ("lng", kinds.WHEREABOUTS),
        ("监护人", kinds.CHILD), ("月收入", kinds.MONEY), ("pwd", kinds.SECRET), ("性別", kinds.TRAIT),
        ("dx", kinds.HEALTH), ("ICD10", kinds.HEALTH), ("blood_group", kinds.HEALTH), ("血型", kinds.HEALTH),
        ("病种编码", kinds.HEALTH), ("血液型", kinds.HEALTH), ("診断コード", kinds.HEALTH),
        ("既往歴", kinds.HEALTH), ("biometrics", kinds.BIOMETRIC), ("步态", kinds.BIOMETRIC),
        ("生物特徵", kinds.BIOMETRIC), ("顔画像", kinds.BIOMETRIC), ("acctNo", kinds.BANK_CARD),
        ("公积金账户", kinds.BANK_CARD), ("銀行口座", kinds.BANK_CARD), ("口座番号", kinds.BANK_CARD),
        ("マイナンバー", kinds.MY_NUMBER), ("氏名", kinds.PERSON_NAME), ("生年月日", kinds.BIRTH),
        ("電話番号", kinds.PHONE), ("ﾊﾟｽﾜｰﾄﾞ", kinds.SECRET), ("犯罪歴", kinds.BELIEF),
        ("現在地", kinds.WHEREABOUTS), ("障害件数", None), ("薬局", None),
        ("product_name", None), ("file", None), ("language", None), ("platform", None), ("amount", None),
        ("shop_phone", None), ("created_at", None), ("数量", None), ("", None),
    ],
)  # fmt: skip
def test_what_a_name_speaks_of(column: str, kind: kinds.Kind | None):
    assert names.kind_of(column) == kind


@pytest.mark.parametrize(
    ("looks", "text", "kind"),
    [
        ([card(n) for n in range(20)], True, kinds.MAINLAND_CARD),
        ([card(n)[:-1] + "0" for n in range(1, 20)], True, None),
        (["A123456(3)", "AB987654(3)", "A1234563", "AB9876543", "A123456(3)"], True, kinds.HONG_KONG_CARD),
        (["A123456(4)"] * 9, True, None),
        (["13800138000", "+86 13900139000", "8613700137000"] * 3, True, kinds.MAINLAND_PHONE),
        (["13800138000"] * 9, False, kinds.MAINLAND_PHONE),
        (["+852 2345 6789", "9123 4567", "61234567"] * 3, True, kinds.HONG_KONG_PHONE),
        (["20261123", "20251231", "20240101"] * 3, True, None),
        (["91234567"] * 9, False, None),
        (["a.b@example.org", "陈@x", "c@example.com", "d@example.com", "e@example.hk"], True, kinds.EMAIL),
        ([luhn(n) for n in range(20)], True, kinds.BANK_CARD),
        ([str(n) for n in range(6222021234567890000, 6222021234567890020)], True, None),
        (["粤B12345", "粤BD12345", "沪A·8X901", "粤Z1234港", "京A12345", "京A12346"], True, kinds.PLATE),
        (["10.0.0.1", "192.168.1.255"] * 4, True, kinds.DEVICE),
        (["22.5431, 114.0579", "(114.05790 22.54310)"] * 4, True, kinds.WHEREABOUTS),
        (["陈大文", "王小明", "李四", "張三豐", "趙六", "x"], True, kinds.PERSON_NAME),
        (["深圳市南山区深南大道10000号", "香港九龍區彌敦道1號", "12 Nathan Road"] * 3, True, kinds.ADDRESS),
        (["患者高血压", "正常", "糖尿病二型"] * 4, True, kinds.HEALTH),
        (["I10.9", "E11", "J45.0", "C34.1", "A09", "B20.1"], True, kinds.HEALTH),
        (["A12", "B20", "C13", "D14", "E15", "F16"], True, None),
        (["SZ", "HK", "GZ"] * 9, True, None),
        ([card(1)] * (values.LEAST - 1), True, None),
    ],
)
def test_what_values_look_like(looks: list[str], text: bool, kind: kinds.Kind | None):
    assert values.kind_of(looks, text) == kind


@given(st.lists(st.text(max_size=30), max_size=20), st.booleans())
def test_any_values_are_looked_at(some: list[str], text: bool):
    values.kind_of(some, text)


@given(
    st.dictionaries(
        st.text(max_size=12), st.tuples(st.lists(st.text(max_size=10), max_size=6), st.booleans()), max_size=5
    )
)
def test_a_proposal_contradicts_nothing_and_calls_nothing_important(samples):
    found = proposed(samples)
    assert found.keys() == samples.keys()
    for labels, why in found.values():
        assert contradiction(labels) is None
        assert (labels.important, labels.core) == (Important.UNKNOWN, None)
        assert labels.origin is not Origin.OVERSEAS
        assert why.endswith(".")
    assert sum(labels.subject for labels, _ in found.values()) <= 1


def test_one_column_that_tells_who_makes_the_others_personal():
    columns = {
        "order": (["1"], False),
        "amount": (["2"], False),
        "phone": ([], True),
        "customer_id": ([], True),
    }
    found = proposed(columns)
    assert {name: labels.personal for name, (labels, _) in found.items()} == dict.fromkeys(columns, True)
    assert [name for name, (labels, _) in found.items() if labels.subject] == ["customer_id"]
    assert "stands beside customer_id" in found["amount"][1]
    del columns["phone"], columns["customer_id"]
    assert {labels.personal for labels, _ in proposed(columns).values()} == {False}


def test_a_name_alone_leaves_it_open():
    ((labels, why),) = proposed({"name": (["x"], True)}).values()
    assert labels == Labels()
    assert "does not say which" in why


def test_a_proposal_of_a_table_shows_no_value(tmp_path: Path):
    table = pa.table(
        {"证件": [card(n) for n in range(50)], "n": list(range(50)), "诊断": ["高血压", "正常"] * 25}
    )
    pq.write_table(table, tmp_path / "t.parquet")
    tables = Here(tmp_path / "scratch", Allowed((tmp_path,)))
    found = tables.propose(Source(Format.PARQUET, f"file://{tmp_path}/t.parquet"))
    assert found["证件"][0] == Labels(True, True, origin=Origin.DOMESTIC, subject=True)
    assert found["诊断"][0].sensitive
    said = " ".join(why for _, why in found.values())
    assert not any(value in said for value in (*table["证件"].to_pylist(), "高血压"))


def test_a_profile(tmp_path: Path):
    table = pa.table({
        "n": pa.array([*range(1, 100), None], pa.int64()), "rare": [None] * 98 + ["x", "y"],
        "some": ["b", "a"] * 50, "one": [1.5] + [None] * 99, "full": [True, False] * 50,
        "tags": [["a"]] * 100, "few": ["z"] * 98 + [None] * 2,
    })  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    tables = Here(tmp_path / "scratch", Allowed((tmp_path,)))
    source = Source(Format.PARQUET, f"file://{tmp_path}/t.parquet")
    found = tables.profile(source, table.column_names)
    assert found["n"] == {
        "rows": 100,
        "nulls": None,
        "distinct": found["n"]["distinct"],
        "least": 1,
        "greatest": 99,
    }
    assert 90 <= found["n"]["distinct"] <= 99
    nothing = {"rows": 100, "nulls": None, "distinct": None, "least": None, "greatest": None}
    assert found["rare"] == found["one"] == nothing
    assert found["some"] == {"rows": 100, "nulls": 0, "distinct": None, "least": "a", "greatest": "b"}
    assert found["full"]["least"] is found["tags"]["least"] is None
    assert found["few"]["nulls"] is None
    assert list(tables.profile(source, ["some"])) == ["some"]
    pq.write_table(table.slice(0, 2), tmp_path / "t.parquet")
    assert tables.profile(source, ["n"])["n"] == nothing | {"rows": None, "nulls": None}
