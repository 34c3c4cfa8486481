"""What a column's name says of it: English words, Chinese ones in simplified and traditional characters, and
Japanese ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Final

from baygrid.sharing.proposing import kinds
from baygrid.sharing.proposing.kinds import Kind

_ENGLISH: Final[Mapping[str, Kind]] = {
    "id card|identity card|identity number|idcard|id no|id number|national id|resident id"
    "|citizen id|ssn|shenfenzheng|sfz|sfzh|zjhm": kinds.MAINLAND_CARD,
    "hkid|hk id|hkic": kinds.HONG_KONG_CARD,
    "passport|passport no|travel permit|home return permit|visa no": kinds.PASSPORT,
    "patient id|customer id|user id|member id|person id|employee id|student id|client id"
    "|subscriber id|patient no|customer no|member no|employee no|student no|staff no"
    "|staff id|citizen no|resident no|passenger id|uid|openid|unionid|mrn"
    "|medical record number|person key|cust id": kinds.PERSON_KEY,
    "phone|mobile|telephone|cell|cellphone|tel|msisdn|phone number|whatsapp|shouji": kinds.PHONE,
    "email|e mail|mail address|youxiang": kinds.EMAIL,
    "username|user name|login|account name|nickname|wechat|weixin|qq|alipay|screen name": kinds.ACCOUNT,
    "bank card|bank account|card number|card no|account number|account no|iban"
    "|credit card|pan|acct no|acct num|card num|securities account|insurance account"
    "|provident fund": kinds.BANK_CARD,
    "first name|last name|full name|given name|family name|surname|middle name"
    "|customer name|patient name|person name|employee name|student name|member name"
    "|contact name|guardian name|passenger name|driver name|staff name|client name"
    "|resident name|xingming": kinds.PERSON_NAME,
    "ip|ip address|mac|mac address|imei|imsi|idfa|oaid|device id|android id|cookie id": kinds.DEVICE,
    "plate|plate number|licence plate|license plate|vehicle number|vin": kinds.PLATE,
    "address|home address|street|postal address|residence|postcode|zip code|zip|dizhi": kinds.ADDRESS,
    "birth|birthday|birthdate|birth date|date of birth|dob|age|birth year|shengri": kinds.BIRTH,
    "diagnosis|diagnoses|dx|diag code|disease|icd|icd10|symptom|medication|prescription|blood type"
    "|blood group|blood|allergy|lab result|mental health"
    "|medical history|hiv|test result|health|pregnancy|disability|treatment|surgery"
    "|vaccine|heart rate|blood pressure|genotype|genome": kinds.HEALTH,
    "fingerprint|face|face id|face feature|iris|voiceprint|palm print|biometric|biometrics|retina|gait"
    "|dna": kinds.BIOMETRIC,
    "religion|faith|political party|party member|trade union|criminal record"
    "|sexual orientation": kinds.BELIEF,
    "latitude|longitude|lat|lon|lng|gps|geohash|trajectory|location|track|check in"
    "|whereabouts": kinds.WHEREABOUTS,
    "guardian|parent|child|children|minor|school grade|kindergarten": kinds.CHILD,
    "salary|income|wage|balance|credit score|loan|debt|deposit|tax paid|pension": kinds.MONEY,
    "password|passwd|pwd|password hash|secret|pin code|security answer": kinds.SECRET,
    "gender|sex|nationality|ethnicity|marital status|marriage|education|occupation"
    "|employer|native place|spouse": kinds.TRAIT,
}  # fmt: skip
_CHINESE: Final[Mapping[str, Kind]] = {
    "身份证|身份證|公民身份号码|公民身份號碼|证件号|證件號|证件号码|證件號碼": kinds.MAINLAND_CARD,
    "香港身份证|香港身份證|香港身分證|身分證號|身分证号": kinds.HONG_KONG_CARD,
    "护照|護照|通行证号|通行證號|回乡证|回鄉證|签证|簽證": kinds.PASSPORT,
    "病历号|病歷號|住院号|住院號|患者编号|患者編號|客户编号|客戶編號|客户号|客戶號|会员号"
    "|會員號|会员编号|會員編號|用户编号|用戶編號|用户号|用戶號|学号|學號|工号|工號"
    "|员工编号|員工編號|社保号|社保號|医保号|醫保號": kinds.PERSON_KEY,
    "手机|手機|电话|電話|联系方式|聯絡方式|联系电话": kinds.PHONE,
    "邮箱|郵箱|电邮|電郵|电子邮件|電子郵件": kinds.EMAIL,
    "用户名|用戶名|昵称|暱稱|微信|账户名|賬戶名|帐户名": kinds.ACCOUNT,
    "银行卡|銀行卡|银行账|銀行賬|银行帐|信用卡|卡号|卡號|账号|賬號|帐号|帳號"
    "|银行户口|銀行戶口|证券账户|證券賬戶|证券帐户|公积金账户|公積金賬戶": kinds.BANK_CARD,
    "姓名|患者名|客户名|客戶名|联系人|聯絡人|聯繫人|持卡人|收件人|乘客|申请人|申請人": kinds.PERSON_NAME,
    "设备号|設備號|设备编号|設備編號|IP地址|网络地址|網絡地址": kinds.DEVICE,
    "车牌|車牌|车辆号牌|車輛號牌|车架号|車架號": kinds.PLATE,
    "地址|住址|住所|居住地|邮编|郵編|門牌|门牌": kinds.ADDRESS,
    "出生|生日|年龄|年齡": kinds.BIRTH,
    "诊断|診斷|疾病|病史|病症|症状|症狀|用药|用藥|处方|處方|血型|血压|血壓|过敏|過敏|手术"
    "|手術|检验结果|檢驗結果|健康|体检|體檢|疫苗|怀孕|懷孕|残疾|殘疾|基因"
    "|血液|病名|病种|病種|医嘱|醫囑|过往病|既往病": kinds.HEALTH,
    "指纹|指紋|人脸|人臉|面容|虹膜|声纹|聲紋|掌纹|掌紋|生物识别|生物識別|生物特征"
    "|生物特徵|步态|步態|耳廓": kinds.BIOMETRIC,
    "宗教|信仰|政治面貌|党派|黨派|犯罪记录|犯罪記錄|性取向": kinds.BELIEF,
    "经度|經度|纬度|緯度|定位|轨迹|軌跡|行踪|行蹤|位置": kinds.WHEREABOUTS,
    "监护人|監護人|家长|家長|儿童|兒童|未成年|年级|年級": kinds.CHILD,
    "工资|工資|薪资|薪資|收入|余额|餘額|贷款|貸款|信用分|存款|社保缴|社保繳": kinds.MONEY,
    "密码|密碼|口令": kinds.SECRET,
    "性别|性別|国籍|國籍|民族|婚姻|学历|學歷|职业|職業|籍贯|籍貫|配偶|工作单位|工作單位": kinds.TRAIT,
}  # fmt: skip

_JAPANESE: Final[Mapping[str, Kind]] = {
    "マイナンバー|個人番号": kinds.MY_NUMBER,
    "パスポート|旅券": kinds.PASSPORT,
    "患者番号|患者ID|カルテ番号|会員番号|会員ID|顧客番号|顧客ID|社員番号|学籍番号|保険証": kinds.PERSON_KEY,
    "携帯番号|携帯電話|電話番号|連絡先": kinds.PHONE,
    "メール": kinds.EMAIL,
    "ユーザー名|ニックネーム": kinds.ACCOUNT,
    "口座|クレジットカード|カード番号": kinds.BANK_CARD,
    "氏名|患者名|顧客名|会員名|名義人": kinds.PERSON_NAME,
    "郵便番号|居住地": kinds.ADDRESS,
    "生年月日|誕生日|年齢": kinds.BIRTH,
    "診断|疾患|傷病|病歴|既往歴|症状|処方|投薬|服薬|血液型|血圧|アレルギー|検査結果|健診|検診|ワクチン|妊娠"
    "|障害者|障がい|遺伝子|ゲノム": kinds.HEALTH,
    "顔画像|顔認証|顔特徴|声紋|静脈|生体認証|生体情報|歩容": kinds.BIOMETRIC,
    "信条|支持政党|労働組合|前科|犯罪歴|性的指向": kinds.BELIEF,
    "経度|緯度|現在地|移動履歴": kinds.WHEREABOUTS,
    "保護者|児童|子供|子ども": kinds.CHILD,
    "給与|年収|残高|預金|借入|信用スコア": kinds.MONEY,
    "パスワード|暗証番号": kinds.SECRET,
    "性別|国籍|婚姻|学歴|職業|配偶者|勤務先": kinds.TRAIT,
}  # fmt: skip


def _flat(words: Mapping[str, Kind]) -> Sequence[tuple[str, Kind]]:
    """Longer words first: they say more."""
    found = [(word, kind) for several, kind in words.items() for word in several.split("|")]
    return sorted(found, key=lambda each: -len(each[0]))


_TOKENS: Final = [(tuple(word.split()), kind) for word, kind in _flat(_ENGLISH)]
_CHARACTERS: Final = _flat({**_CHINESE, **_JAPANESE})
_THINGS: Final = frozenset({
    "product", "file", "company", "brand", "shop", "store", "city", "country", "table", "column", "category",
    "model", "event", "job", "hospital", "department", "channel", "station", "hotel", "service", "project",
})  # fmt: skip
"""What begins with one of these is of a thing."""
_SPLIT: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def tokens(name: str) -> tuple[str, ...]:
    """English words of a name: `custPhoneNo`, `cust_phone_no`, `CUST PHONE NO`."""
    plain = unicodedata.normalize("NFKC", name)
    return tuple(word.lower() for word in _SPLIT.findall(plain))


def kind_of(name: str) -> Kind | None:
    """None: the name says nothing of persons."""
    for word, kind in _CHARACTERS:
        if word.lower() in unicodedata.normalize("NFKC", name).lower():
            return kind
    parts = tokens(name)
    joined = "".join(parts)
    for words, kind in _TOKENS:
        if any(parts[at : at + len(words)] == words for at in range(len(parts))) or joined == "".join(words):
            return None if parts[0] in _THINGS else kind
    return None


def is_name(name: str) -> bool:
    """A name of whom or what, nobody can say: `name`, `名称`."""
    return tokens(name)[-1:] == ("name",) or name in ("名称", "名稱", "名字", "名")
