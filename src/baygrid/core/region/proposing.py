"""What a body may be, by the words of its names and its registered business: a layer and fields, each with
the words that spoke for it. It counts words and nothing else, so that a person can follow it and decide
otherwise."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from baygrid.core.region.bodies import CLASSIFIER, Body, Label, Labelled

SOURCE: Final = "names and registered business"


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(", "))


# In small letters: simplified, traditional, Japanese and English words, side by side.
LAYER_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "base": _words(
        "芯片, 晶片, 半导体, 半導體, 半導体, 集成电路, 積體電路, 集積回路, 服务器, 伺服器, サーバー, "
        "传感器, 傳感器, センサー, 算力, 计算中心, 計算中心, 数据中心, 數據中心, データセンター, "
        "云计算, 雲計算, クラウド, 数据采集, 數據採集, 数据标注, 數據標註, chip, chips, semiconductor, "
        "integrated circuit, server, servers, sensor, sensors, data centre, data center, "
        "cloud computing, gpu, data annotation"
    ),
    "technology": _words(
        "算法, 演算法, アルゴリズム, 机器学习, 機器學習, 機械学習, 深度学习, 深度學習, 深層学習, "
        "计算机视觉, 計算機視覺, 机器视觉, 機器視覺, 画像認識, 图像识别, 圖像識別, 语音识别, 語音識別, "
        "音声認識, 自然语言, 自然語言, 自然言語, 知识图谱, 知識圖譜, 大模型, 基盤モデル, 人脸识别, "
        "人臉識別, 生成式, 生成ai, algorithm, algorithms, machine learning, deep learning, "
        "computer vision, machine vision, speech recognition, natural language, large model, "
        "large language model, foundation model, generative ai"
    ),
    "application": _words(
        "机器人, 機器人, ロボット, 自动驾驶, 自動駕駛, 自動運転, 无人机, 無人機, ドローン, 物流, 仓储, "
        "倉儲, 倉庫, 供应链, 供應鏈, 金融, 支付, 決済, 风控, 風控, 医疗, 醫療, 医療, 教育, 安防, "
        "智能家居, 智慧城市, スマートシティ, 智能制造, 電商, 智能製造, 网联汽车, 網聯汽車, 车联网, "
        "車聯網, 营销, 客服, 电商, robot, robots, robotics, autonomous driving, self-driving, drone, "
        "drones, logistics, warehouse, supply chain, finance, fintech, payment, payments, healthcare, "
        "education, smart home, smart city, marketing, e-commerce"
    ),
}
FIELD_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "machine_vision": _words(
        "视觉, 視覺, 図像, 图像, 圖像, 画像認識, 人脸, 人臉, 顔認証, 影像识别, 影像識別, vision, "
        "image recognition, face recognition"
    ),
    "data_mining": _words(
        "数据挖掘, 數據挖掘, データマイニング, 大数据, 大數據, ビッグデータ, 数据分析, 數據分析, "
        "データ分析, data mining, big data, data analysis, data analytics"
    ),
    "smart_finance": _words(
        "金融, 支付, 決済, 风控, 風控, 银行, 銀行, 保险, 保險, 保険, finance, financial, fintech, "
        "payment, payments, bank, banking, insurance"
    ),
    "smart_logistics": _words(
        "物流, 仓储, 倉儲, 倉庫, 供应链, 供應鏈, サプライチェーン, 配送, logistics, warehouse, "
        "warehousing, supply chain"
    ),
    "intelligent_connected_vehicles": _words(
        "自动驾驶, 自動駕駛, 自動運転, 网联汽车, 網聯汽車, 车联网, 車聯網, 无人驾驶, 無人駕駛, "
        "智能汽车, 智能汽車, autonomous driving, self-driving, connected vehicle, robotaxi"
    ),
    "large_models": _words(
        "大模型, 大语言模型, 大語言模型, 大規模言語モデル, 基盤モデル, 生成式, 生成ai, large model, "
        "large language model, foundation model, generative ai"
    ),
    "speech_language": _words(
        "语音, 語音, 音声, 自然语言, 自然語言, 自然言語, 机器翻译, 機器翻譯, 機械翻訳, speech, voice, "
        "natural language, machine translation"
    ),
    "robotics": _words(
        "机器人, 機器人, ロボット, 无人机, 無人機, ドローン, 机械臂, 機械臂, robot, robots, robotics, "
        "drone, drones"
    ),
    "medical": _words(
        "医疗, 醫療, 医療, 医药, 醫藥, 医薬, 诊断, 診斷, 診断, medical, healthcare, diagnosis, "
        "diagnostics, pharmaceutical"
    ),
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """`words`: that were found; the more, the stronger."""

    kind: Labelled
    value: str
    words: tuple[str, ...]


def proposals(body: Body) -> list[Proposal]:
    """All for which at least one word speaks, layers first, of each kind the strongest first."""
    text = unicodedata.normalize("NFKC", " \n ".join([*body.names.values(), body.scope])).casefold()
    heard = {word for word in _OTHER_WORDS if word in text}
    heard |= {word for word in _LATIN_WORDS if word in text and _alone(word, text)}
    if not heard:
        return []
    found: list[Proposal] = []
    for kind, table in ((Labelled.LAYER, LAYER_WORDS), (Labelled.FIELD, FIELD_WORDS)):
        some = [Proposal(kind, value, _longest(words, heard)) for value, words in table.items()]
        found += sorted((it for it in some if it.words), key=lambda it: -len(it.words))
    return found


def proposed(body: Body, since: date | None) -> list[Label]:
    """Labels for a body that has none. No layer where two have the same number of words: a person decides."""
    found = proposals(body)
    layers = [it for it in found if it.kind is Labelled.LAYER]
    fields = [it for it in found if it.kind is Labelled.FIELD]
    if len(layers) > 1 and len(layers[0].words) == len(layers[1].words):
        layers = []
    return [
        Label(body.id, it.kind, it.value, since, None, "; ".join(it.words), SOURCE, CLASSIFIER)
        for it in [*layers[:1], *fields]
    ]


def _longest(words: Iterable[str], heard: Collection[str]) -> tuple[str, ...]:
    """Those that were heard, without one that is a part of another that was, too."""
    found = [it for it in words if it in heard]
    return tuple(it for it in found if not any(it != other and it in other for other in found))


def _alone(word: str, text: str) -> bool:
    """Not inside a longer word, as finance is in refinanced."""
    return re.search(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])", text) is not None


_ALL: Final = frozenset(
    word for table in (LAYER_WORDS, FIELD_WORDS) for words in table.values() for word in words
)
_LATIN_WORDS: Final = tuple(sorted(it for it in _ALL if it.isascii()))
_OTHER_WORDS: Final = tuple(sorted(it for it in _ALL if not it.isascii()))
