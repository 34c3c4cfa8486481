"""One form for what is written in several, character for character, so that every place stays where it is.

Full-width becomes half-width, traditional becomes simplified: only of characters that numerals, units and
what stands beside them are written with. All tables of this package are in the folded form.
"""

from __future__ import annotations

import re
from typing import Final

_PAIRS: Final = """
億亿 萬万 點点 兩两 〇零 壹一 壱一 貳二 贰二 弐二 叁三 參三 肆四 伍五 陸六 陆六 柒七 捌八 玖九 拾十 佰百 仟千
個个 箇个 間间 時时 張张 幣币 圓圆 歲岁 戶户 項项 臺台 輛辆 數数 餘余 幾几 歐欧 鐘钟 負负 減减 増增 長长 單单
後后 來来 內内 種种 條条 頃顷 畝亩 縣县 區区 會会 運运 飛飞 毎每 國国 業业 機机 構构 學学 醫医 計计 測测
報报 値值 當当 圖图 図图 寫写 聲声 語语 萊莱 錢钱 錄录 職职 給给 從从 場场 號号 級级 節节 華华 階阶 層层
樓楼 紀纪 頁页 註注 冊册 輪轮 週周 屆届 頻频 動动 設设 為为 員员 務务 績绩 標标
"""

_TABLE: Final[dict[int, int | str]] = {
    **{code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F) if chr(code) != "，"},
    **{ord(pair[0]): pair[1] for pair in _PAIRS.split()},
    **dict.fromkeys(map(ord, "\u3000\u00a0\u2009\u202f"), " "),
    **dict.fromkeys(map(ord, "−﹣"), "-"),
    **dict.fromkeys(map(ord, "〜～"), "~"),
    ord("﹪"): "%",
}
_COMMA: Final = re.compile("(?<=[０-９])，(?=[０-９]{3}(?![０-９]))")


def fold(text: str) -> str:
    """As long as the text. A full-width comma stays one, unless it groups full-width digits."""
    return _COMMA.sub(",", text).translate(_TABLE)
