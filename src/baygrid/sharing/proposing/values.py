"""What values look like. A value is text as the table has it; each test says whether one looks so."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Final

from baygrid.sharing.proposing import kinds
from baygrid.sharing.proposing.kinds import Kind

LEAST: Final = 5
"""Values that a column must have for a kind to be read from them."""
_MOST: Final = 0.8
"""Of a column's values look so."""
_SOME: Final = 0.3
"""Of a column's texts speak so."""

_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CARD: Final = re.compile(r"[1-9]\d{5}(\d{4})(\d{2})(\d{2})\d{3}[0-9Xx]")
_HONG_KONG: Final = re.compile(r"([A-Z]{1,2})(\d{6})\(?([0-9A])\)?")
_MOBILE: Final = re.compile(r"(?:(?:\+|00)?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}")
_HONG_KONG_PHONE: Final = re.compile(r"((?:\+|00)?852[- ]?)?([235679]\d{3})[- ]?(\d{4})")
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,255}\.[A-Za-z]{2,24}")
_BANK_CARD: Final = re.compile(r"\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{1,7}")
_PROVINCES: Final = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE: Final = re.compile(rf"[{_PROVINCES}][A-HJ-Z][·. ]?[A-HJ-NP-Z0-9]{{5,6}}")
_IP: Final = re.compile(
    r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}|(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}"
)
_POSITION: Final = re.compile(r"[(\[]?\s*(-?\d{1,3}\.\d{3,})\s*[,; ]\s*(-?\d{1,3}\.\d{3,})\s*[)\]]?")
_PASSPORT: Final = re.compile(r"[EGHDSP][A-Z]?\d{7,8}|[HMC]\d{8}(?:\d{2})?")
_ICD: Final = re.compile(r"[A-TV-Z]\d[0-9A-B](?:\.[0-9A-Z]{1,4})?")
_ADDRESS: Final = re.compile(
    r"[省市区區县縣镇鎮].{0,20}[路街道巷村号號室楼樓]"
    r"|\d+[A-Za-z]?,? .{2,40}(?:Road|Street|Avenue|Rd|St|Ave)\b"
)
_SURNAMES: Final = frozenset(
    "王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁"
    "邓鄧许許傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎閻余潘杜戴夏钟鍾汪田任姜范方石姚谭譚廖邹鄒熊金"
    "陆陸郝孔白崔康毛邱秦江史顾顧侯邵孟龙龍万萬段雷钱錢汤湯尹黎易常武乔喬贺賀赖賴龚龔文欧歐"
)
_HAN_NAME: Final = re.compile(r"[\u4e00-\u9fff·]{2,4}")
_HEALTH: Final = re.compile(
    r"高血压|高血壓|糖尿病|肿瘤|腫瘤|癌|肝炎|肺炎|骨折|抑郁|抑鬱|哮喘|冠心病|感染|阳性|陽性|炎症|手术|手術"
    r"|确诊|確診"
    r"|hypertension|diabet|cancer|carcinoma|hepatitis|pneumonia|fracture|depress|asthma"
    r"|infect|positive for|syndrome",
    re.IGNORECASE,
)


def mainland_card(value: str) -> bool:
    """Eighteen places, a day that was, a check digit that fits (GB 11643)."""
    match = _CARD.fullmatch(value)
    if match is None or not _is_day(*map(int, match.groups())):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(value[:17], _WEIGHTS, strict=True))
    return "10X98765432"[total % 11] == value[17].upper()


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        return date(year, month, day).year >= 1900
    except ValueError:
        return False


def hong_kong_card(value: str) -> bool:
    """One or two letters, six digits, a check digit that fits."""
    match = _HONG_KONG.fullmatch(value)
    if match is None:
        return False
    letters, digits, check = match.groups()
    places = [36 if letter == " " else ord(letter) - 55 for letter in letters.rjust(2)] + [
        int(each) for each in digits
    ]
    total = sum(place * weight for place, weight in zip(places, range(9, 1, -1), strict=True))
    return (total + (10 if check == "A" else int(check))) % 11 == 0


def bank_card(value: str) -> bool:
    """13 to 19 digits whose last one fits (ISO/IEC 7812, Luhn)."""
    if _BANK_CARD.fullmatch(value) is None:
        return False
    digits = [int(each) for each in re.sub(r"\D", "", value)]
    doubled = [each if n % 2 == 0 else each * 2 - 9 * (each > 4) for n, each in enumerate(reversed(digits))]
    return len(set(digits)) > 1 and sum(doubled) % 10 == 0


def hong_kong_phone(value: str) -> bool:
    """With 852 in front, or eight digits that are no day."""
    match = _HONG_KONG_PHONE.fullmatch(value)
    if match is None:
        return False
    digits = match[2] + match[3]
    return match[1] is not None or not _is_day(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def position(value: str) -> bool:
    match = _POSITION.fullmatch(value)
    return match is not None and abs(float(match[1])) <= 180 and abs(float(match[2])) <= 180


def person_name(value: str) -> bool:
    return _HAN_NAME.fullmatch(value) is not None and value[0] in _SURNAMES


_LOOKS: Final[Sequence[tuple[Kind, Callable[[str], object]]]] = (
    (kinds.MAINLAND_CARD, mainland_card),
    (kinds.HONG_KONG_CARD, hong_kong_card),
    (kinds.MAINLAND_PHONE, _MOBILE.fullmatch),
    (kinds.EMAIL, _EMAIL.fullmatch),
    (kinds.BANK_CARD, bank_card),
    (kinds.PLATE, _PLATE.fullmatch),
    (kinds.DEVICE, _IP.fullmatch),
    (kinds.WHEREABOUTS, position),
    (kinds.PASSPORT, _PASSPORT.fullmatch),
    (kinds.PERSON_NAME, person_name),
    (kinds.ADDRESS, _ADDRESS.search),
)
_OF_TEXT: Final[Mapping[Kind, Callable[[str], object]]] = {kinds.HONG_KONG_PHONE: hong_kong_phone}
"""Of numbers these would say nothing: any eight digits look so."""


def kind_of(values: Sequence[str], text: bool) -> Kind | None:
    """What most of these look like; None: nothing that speaks of persons, or too few to tell. `text`: the
    column has texts, not numbers."""
    if len(values) < LEAST:
        return None
    tests = [*_LOOKS, *_OF_TEXT.items()] if text else _LOOKS
    for kind, looks in tests:
        if sum(1 for value in values if looks(value)) >= _MOST * len(values):
            return kind
    return kinds.HEALTH if text and _of_health(values) else None


def _of_health(values: Sequence[str]) -> bool:
    """Words, or codes of diseases (ICD-10), some of them with their point: A12 alone is a shelf, too."""
    codes = [value for value in values if _ICD.fullmatch(value)]
    points = sum(1 for value in codes if "." in value)
    if len(codes) >= _MOST * len(values) and points >= _SOME * len(values):
        return True
    return sum(1 for value in values if _HEALTH.search(value)) >= _SOME * len(values)
