"""Names of places and bodies of the region in four languages, and what is said of them that they are not.

前海市 is flagged: Qianhai is a zone of Shenzhen, not a city. Spellings of a name (深セン, 深圳) are alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from baygrid.core.prose.found import LANGUAGES

Kind = Literal["zone", "district", "city", "region", "province", "body", "company"]


@dataclass(frozen=True, slots=True)
class Entity:
    """`names` by language, the right one first. `says`: what it is, as a sentence of English."""

    id: str
    kind: Kind
    names: Mapping[str, tuple[str, ...]]
    says: str


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a text. `flag`: "wrong-kind" where it is called what it is not: `right` is what to write
    instead of `text`, and `why` says what it is."""

    text: str
    start: int
    end: int
    entity: Entity
    flag: Literal["wrong-kind"] | None = None
    right: str | None = None
    why: str | None = None


def _entity(id: str, kind: Kind, says: str, *names: str) -> Entity:
    """`names` in the order of `LANGUAGES`; spellings are parted by |."""
    by_language = {language: tuple(it.split("|")) for language, it in zip(LANGUAGES, names, strict=True)}
    return Entity(id, kind, by_language, says)


_ZONE: Final = "{} is a zone of {}, not a city or a district"
_DISTRICT: Final = "{} is a district of {}, not a city"
_CITY: Final = "{} is a city"
_REGION: Final = "{} is a special administrative region"

ENTITIES: Final = (
    _entity("qianhai", "zone", _ZONE.format("Qianhai", "Shenzhen"), "前海", "前海", "前海", "Qianhai"),
    _entity("hetao", "zone", _ZONE.format("Hetao", "Shenzhen"), "河套", "河套", "河套", "Hetao"),
    _entity("hengqin", "zone", _ZONE.format("Hengqin", "Zhuhai"), "横琴", "横琴", "橫琴", "Hengqin"),
    _entity("nansha", "district", _DISTRICT.format("Nansha", "Guangzhou"), "南沙", "南沙", "南沙", "Nansha"),
    *(
        _entity(names[3].lower(), "district", _DISTRICT.format(names[3], "Shenzhen"), *names)
        for names in (
            ("南山", "南山", "南山", "Nanshan"),
            ("宝安", "宝安", "寶安", "Baoan|Bao'an|Bao’an"),
            ("福田", "福田", "福田", "Futian"),
            ("羅湖", "罗湖", "羅湖", "Luohu"),
            ("塩田", "盐田", "鹽田", "Yantian"),
            ("龍崗", "龙岗", "龍崗", "Longgang"),
            ("龍華", "龙华", "龍華", "Longhua"),
            ("坪山", "坪山", "坪山", "Pingshan"),
        )
    ),
    *(
        _entity(names[3].partition("|")[0].lower(), "city", _CITY.format(names[3]), *names)
        for names in (
            ("深圳|深セン|シンセン|深せん", "深圳", "深圳", "Shenzhen"),
            ("広州", "广州", "廣州", "Guangzhou"),
            ("珠海", "珠海", "珠海", "Zhuhai"),
            ("東莞", "东莞", "東莞", "Dongguan"),
            ("仏山", "佛山", "佛山", "Foshan"),
            ("恵州", "惠州", "惠州", "Huizhou"),
            ("中山", "中山", "中山", "Zhongshan"),
            ("江門", "江门", "江門", "Jiangmen"),
            ("肇慶", "肇庆", "肇慶", "Zhaoqing"),
            ("北京", "北京", "北京", "Beijing"),
            ("上海", "上海", "上海", "Shanghai"),
            ("杭州", "杭州", "杭州", "Hangzhou"),
            ("合肥", "合肥", "合肥", "Hefei"),
        )
    ),
    _entity("hong-kong", "region", _REGION.format("Hong Kong"), "香港", "香港", "香港", "Hong Kong"),
    _entity("macao", "region", _REGION.format("Macao"), "マカオ|澳門", "澳门", "澳門", "Macao|Macau"),
    _entity("guangdong", "province", "Guangdong is a province", "広東", "广东", "廣東", "Guangdong"),
    _entity(
        "qianhai-zone", "body", "the zone by its full name",
        "前海深港現代サービス業合作区|前海深港現代サービス業協力区",
        "前海深港现代服务业合作区", "前海深港現代服務業合作區",
        "Qianhai Shenzhen-Hong Kong Modern Service Industry Cooperation Zone",
    ),
    _entity(
        "qianhai-authority", "body", "the authority of the zone",
        "前海管理局", "前海管理局", "前海管理局", "Qianhai Authority",
    ),
    _entity(
        "gba-compute-platform", "body", "the platform of compute services of the Greater Bay Area",
        "大湾区統合コンピューティング・サービス・プラットフォーム",
        "大湾区一体化算力服务平台", "大灣區一體化算力服務平台",
        "Greater Bay Area integrated computing service platform",
    ),
    _entity(
        "internet-exchange", "body", "the exchange that joins networks, clouds and centres",
        "国家（深圳・前海）新型インターネット・エクスチェンジ・センター",
        "国家（深圳・前海）新型互联网交换中心", "國家（深圳・前海）新型互聯網交換中心",
        "National (Shenzhen Qianhai) New-type Internet Exchange Centre"
        "|National (Shenzhen Qianhai) New-type Internet Exchange Center",
    ),
    _entity(
        "qianhai-compute-centre", "body", "the AI computing centre of Qianhai",
        "前海深港AI・コンピューティング・センター", "前海深港人工智能算力中心", "前海深港人工智能算力中心",
        "Qianhai Shenzhen-Hong Kong AI computing centre|Qianhai Shenzhen-Hong Kong AI computing center",
    ),
    _entity(
        "szaia", "body", "the AI industry association of Shenzhen",
        "深圳市人工知能（AI）産業協会", "深圳市人工智能产业协会|深圳市人工智能行业协会",
        "深圳市人工智能產業協會|深圳市人工智能行業協會",
        "Shenzhen Artificial Intelligence Industry Association",
    ),
    _entity("sensetime", "company", "", "センスタイム", "商汤科技|商汤", "商湯科技|商湯", "SenseTime"),
    _entity("smartmore", "company", "", "スマートモア", "思谋科技", "思謀科技|思謀集團", "SmartMore"),
    _entity("pony-ai", "company", "", "ポニー・エーアイ", "小马智行", "小馬智行", "Pony.ai"),
    _entity("hai-robotics", "company", "", "ハイ・ロボティクス", "海柔创新", "海柔創新", "Hai Robotics"),
    _entity("webank", "company", "", "ウィーバンク", "微众银行", "微眾銀行", "WeBank"),
)  # fmt: skip

_MAY_BE: Final[Mapping[Kind, frozenset[str]]] = {
    "zone": frozenset(),
    "district": frozenset({"district"}),
    "city": frozenset({"city", "district"}),
    "region": frozenset({"district"}),
    "province": frozenset({"province", "district"}),
}
"""What may be said behind a name of a place. Nobody minds 深圳区 of a network; 前海区 is no district."""

_SAID: Final[Mapping[str, str]] = {
    "市": "city", "省": "province", "县": "county", "縣": "county", "県": "county", "区": "district",
    "區": "district", "city": "city", "province": "province", "county": "county", "district": "district",
}  # fmt: skip
_SUFFIX: Final = (
    "(?:(?P<behind>市(?![场場民区區价價值况況道井])|省(?![级級内])|[县縣県](?![级級])|[区區](?![域间間位块塊分别別]))"
    "| (?P<word>City|Province|County|District)(?![A-Za-z]))?"
)
_PREFIX: Final = "(?:(?<![A-Za-z])(?P<of>[Cc]ity|[Pp]rovince|[Cc]ounty) of )?"


def _key(name: str) -> str:
    """The same for a name with brackets of either width, and with or without dots and spaces."""
    return name.translate(_LEFT_OUT)


def _spelt(name: str) -> str:
    """As a pattern of all that has its key."""
    text = re.escape(name).replace("・", "[・·･ ]?").replace("（", "[(（]").replace("）", "[)）]")
    return f"(?<![A-Za-z]){text}(?![a-z])" if name[0].isascii() else text


_LEFT_OUT: Final = str.maketrans("", "", "・·･ ()（）")
_NAMES: Final = {
    name: entity for entity in ENTITIES for spellings in entity.names.values() for name in spellings
}
_BY_KEY: Final = {_key(name): entity for name, entity in _NAMES.items()}


def _pattern() -> str:
    """Names by their first characters, the longest first."""
    firsts: dict[str, list[str]] = {}
    for name in sorted(_NAMES, key=len, reverse=True):
        firsts.setdefault(name[0], []).append(_spelt(name))
    return "|".join(f"(?={re.escape(first)})(?:{'|'.join(some)})" for first, some in firsts.items())


_FIRST: Final = "".join(sorted({name[0] for name in _NAMES} | set("CcPp")))
_PATTERN: Final = re.compile(f"(?=[{_FIRST}]){_PREFIX}(?P<name>{_pattern()}){_SUFFIX}")


def names(text: str) -> tuple[Named, ...]:
    """The names that the gazetteer knows, in their order. Never fails, and takes time in proportion."""
    return tuple(_named(found) for found in _PATTERN.finditer(text))


def _named(found: re.Match[str]) -> Named:
    entity, name = _BY_KEY[_key(found["name"])], found["name"]
    said = found["of"] or found["behind"] or found["word"]
    may_be = _MAY_BE.get(entity.kind)
    if said is None or may_be is None or _SAID[said.lower()] in may_be:
        start, end = found.span("name")
        return Named(name, start, end, entity)
    return Named(found[0], found.start(), found.end(), entity, flag="wrong-kind", right=name, why=entity.says)
