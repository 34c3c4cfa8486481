"""Amounts in Chinese capital characters, as papers of payment write them.

By the rules for filling in bills and settlement vouchers (正确填写票据和结算凭证的基本规定), annex of the
People's Bank of China's 支付结算办法 (1997): zeros in a row are one 零, what ends at the yuan ends in
整, and where there are no jiao before fen there is a 零.
"""

from __future__ import annotations

from typing import Final

from baygrid.core.units import DECIMALS, Money

_DIGITS: Final = ("零壹贰叁肆伍陆柒捌玖", "零壹貳叁肆伍陸柒捌玖")
_PLACES: Final = (
    (10**8, ("亿", "億")),
    (10**4, ("万", "萬")),
    (1000, ("仟", "仟")),
    (100, ("佰", "佰")),
    (10, ("拾", "拾")),
)
_CURRENCIES: Final = {
    "CNY": (("人民币", "元"), ("人民幣", "圓")),
    "HKD": (("港币", "元"), ("港幣", "圓")),
    "JPY": (("日元", "元"), ("日圓", "圓")),
}


def in_capitals(amount: Money, *, traditional: bool = False) -> str:
    """人民币壹仟贰佰叁拾肆元伍角陆分; exact for every amount that money has."""
    name, whole_unit = _CURRENCIES[amount.currency][traditional]
    minus = ("负", "負")[traditional] if amount.minor < 0 else ""
    whole, part = divmod(abs(amount.minor), 10 ** DECIMALS[amount.currency])
    digits = _DIGITS[traditional]
    tens, ones = divmod(part, 10)
    text = f"{_whole(whole, traditional)}{whole_unit}" if whole or not part else ""
    if not part:
        return f"{name}{minus}{text}整"
    if tens:
        # 107000.53 is 壹拾万柒仟元零伍角叁分
        text += ("零" if whole and whole % 10 == 0 else "") + f"{digits[tens]}角"
    elif whole:
        text += "零"
    return f"{name}{minus}{text}" + (f"{digits[ones]}分" if ones else "")


def _whole(number: int, traditional: bool) -> str:
    """Without its unit. 10001 0000 0000 is 壹万零壹亿."""
    for size, place in _PLACES:
        if number >= size:
            many, rest = divmod(number, size)
            text = _whole(many, traditional) + place[traditional]
            zero = "零" if rest < size // 10 else ""
            return text + zero + _whole(rest, traditional) if rest else text
    return _DIGITS[traditional][number]
