"""How a name is compared with others, whatever its case and however it was typed.

``fold`` keeps what tells two names apart and no more: accents stay, as *Kuchen* and *Küchen* are two things. ``loosen``
takes away more, for what has no name otherwise: German *Kueche*, Russian *еж*, Chinese in the other characters.
"""

# ruff: noqa: RUF001, RUF002 - letters of other scripts
import re
import unicodedata
from collections.abc import Iterator

_TURKISH = "tr"

# Typed in several ways: apostrophes, dashes, and the dot between the words of a name in Japanese and Chinese.
_SIGNS = str.maketrans({**dict.fromkeys("’‘ʼʹ′`´", "'"), **dict.fromkeys("‐‑‒–—−", "-"), "·": "・"})
# What cannot be seen: soft hyphens, joiners, marks of direction, variation selectors; and the Arabic stroke that only
# makes a word longer.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u0640\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
)

# The characters of the lists, and of the Chinese names in the other script, that differ.
# fmt: off
_TRADITIONAL = (
    "䴉乾亞來倉倫偉傑傘備傢儀優儲兒內兩凱別剎剛創剷劇劍動務協參叢員啞喬單噴國圍園圓圖團堅報場塊塢塵墊墜墳壇壓壩壺壽夾"
    "妝婦嬰學宮實寫寬寵寶尋對導屜層峯島峽嶼師帳帶幟幣幹庫廁廂廈廚廟廠廣廳張彈後愛懶懸戰戲戶捲掃掛揚搖搗摺撐撥撫撲擊擔"
    "據擱攤攪數斷時曬書會枴柵柺桿條棗棧棲楓業極槍槓槳樁樂樑樓標樹樺橋機橫檔檯檸櫃櫚櫛櫥櫻欄欖歐殺殼氣涼渦湯溝溫溼滿漁"
    "漢漿潛澆澤濃濕濟濱濾瀝灑灘灣烏無煙熱燈燉燒營燭爐爺爾牀牆獄獅獎獨獵獸獺獼現瑪環產畢畫異當疊癩發皁盃盜監盤盪碩碼磚"
    "磯禮禱禿稜穀積窩竈筆筍箏節築篩簫簾籃籠籬糞糰紀約紅紉紋納紐純紗紙級紡組結給絨絲絹綠維網綿線緹縫縮縱繃織繡繩繪繫缽"
    "罌羅羣義聖聯聲聽脈脣脫腦腳腸膚膠膽臉臥臺舖艦茲莊華菸萊萬萵葉葦蒼蓋蓮蔔蔘蔥薊薑薔薩藍藥蘆蘇蘋蘚蘭蘿號蛺蝟蝦蝨蝸螞"
    "螢蟬蟲蟻蠅蠍蠑蠔蠟蠣衕衚衛衝裏裝裡製複褲襪襯視覽觀訂計訊記設診試話誌誕調諾謎謠證譜護變豎豬貓貝負貢貨販貴費貼貽資"
    "賊賓賞賣購賽贊跡車軌軍軟輕輛輪轉轎辦連進遊運達遙遞遠選邊郵鄉鄧醫醬釋釐釘針釣釦鈍鈎鈔鈕鈴鈸鉋鉗鉛鉢鉤銀銅銘鋪鋸鋼"
    "錄錐錘錠錢錦錨錶鍊鍋鍬鍵鍾鎖鎚鎧鎮鏈鏟鏡鐘鐲鐵鐺鑄鑔鑰鑼鑽長門閃開間閘關陣陸陽階際險雙雛雜雞雲電霧靈鞦韆響頁頂項"
    "頌頓領頭頸頻額類顯風飛飯飲飾餅養餡館馬駒駝駱騎騰騾驗驢髏髒體髮鬆鬍鬚鬥鬧鬱魚魟魨魯魷鮋鮪鮭鮮鯉鯊鯖鯨鰈鰩鰻鱈鱉鱒"
    "鱔鱘鱝鱷鱺鳥鳩鳳鳶鳽鴇鴉鴕鴞鴣鴨鴯鴴鴷鴿鵐鵑鵜鵝鵡鵪鵯鵰鵲鶇鶉鶓鶘鶲鶴鷓鷗鷥鷲鷸鷹鷺鸚鸛鹼鹽麗麥麪麵黃點鼴齒齡齧"
    "龍龐龜"
)
_SIMPLIFIED = (
    "鹮干亚来仓伦伟杰伞备家仪优储儿内两凯别刹刚创铲剧剑动务协参丛员哑乔单喷国围园圆图团坚报场块坞尘垫坠坟坛压坝壶寿夹"
    "妆妇婴学宫实写宽宠宝寻对导屉层峰岛峡屿师帐带帜币干库厕厢厦厨庙厂广厅张弹后爱懒悬战戏户卷扫挂扬摇捣折撑拨抚扑击担"
    "据搁摊搅数断时晒书会拐栅拐杆条枣栈栖枫业极枪杠桨桩乐梁楼标树桦桥机横档台柠柜榈栉橱樱栏榄欧杀壳气凉涡汤沟温湿满渔"
    "汉浆潜浇泽浓湿济滨滤沥洒滩湾乌无烟热灯炖烧营烛炉爷尔床墙狱狮奖独猎兽獭猕现玛环产毕画异当叠癞发皂杯盗监盘荡硕码砖"
    "矶礼祷秃棱谷积窝灶笔笋筝节筑筛箫帘篮笼篱粪团纪约红纫纹纳纽纯纱纸级纺组结给绒丝绢绿维网绵线缇缝缩纵绷织绣绳绘系钵"
    "罂罗群义圣联声听脉唇脱脑脚肠肤胶胆脸卧台铺舰兹庄华烟莱万莴叶苇苍盖莲卜参葱蓟姜蔷萨蓝药芦苏苹藓兰萝号蛱猬虾虱蜗蚂"
    "萤蝉虫蚁蝇蝎蝾蚝蜡蛎同胡卫冲里装里制复裤袜衬视览观订计讯记设诊试话志诞调诺谜谣证谱护变竖猪猫贝负贡货贩贵费贴贻资"
    "贼宾赏卖购赛赞迹车轨军软轻辆轮转轿办连进游运达遥递远选边邮乡邓医酱释厘钉针钓扣钝钩钞钮铃钹铇钳铅钵钩银铜铭铺锯钢"
    "录锥锤锭钱锦锚表链锅锹键钟锁锤铠镇链铲镜钟镯铁铛铸镲钥锣钻长门闪开间闸关阵陆阳阶际险双雏杂鸡云电雾灵秋千响页顶项"
    "颂顿领头颈频额类显风飞饭饮饰饼养馅馆马驹驼骆骑腾骡验驴髅脏体发松胡须斗闹郁鱼𫚉鲀鲁鱿鲉鲔鲑鲜鲤鲨鲭鲸鲽鳐鳗鳕鳖鳟"
    "鳝鲟鲼鳄鲡鸟鸠凤鸢𫛚鸨鸦鸵鸮鸪鸭鸸鸻䴕鸽鹀鹃鹈鹅鹉鹌鹎雕鹊鸫鹑鹋鹕鹟鹤鹧鸥鸶鹫鹬鹰鹭鹦鹳碱盐丽麦面面黄点鼹齿龄啮"
    "龙庞龟"
)
# fmt: on
# What is written in several ways, by language.
_HYPHEN = {"-": " "}
_CHINESE = _HYPHEN | dict(zip(_TRADITIONAL, _SIMPLIFIED, strict=True))
_LOOSE = {
    "de": str.maketrans(_HYPHEN | {"ä": "ae", "ö": "oe", "ü": "ue"}),
    "ru": str.maketrans(_HYPHEN | {"ё": "е"}),
    "uk": str.maketrans(_HYPHEN | {"ґ": "г"}),
    # Alef and others with a hamza or madda, yeh and teh at the end, and the marks of vowels.
    "ar": str.maketrans(
        {**_HYPHEN, **dict.fromkeys("أإآٱ", "ا"), "ى": "ي", "ئ": "ي", "ؤ": "و", "ة": "ه"}
        | dict.fromkeys(map(chr, range(0x064B, 0x0656)), "")
    ),
    # The nukta, also in the letters that have it, and the chandrabindu.
    "hi": str.maketrans({**_HYPHEN, "\u093c": "", "ऩ": "न", "ऱ": "र", "ऴ": "ळ", "ँ": "ं"}),
    # Katakana as hiragana, and without the dot between words.
    "ja": str.maketrans({**_HYPHEN, "・": "", **{chr(code): chr(code - 0x60) for code in range(0x30A1, 0x30F7)}}),
    "zh-Hans": str.maketrans({**_CHINESE, "・": ""}),
    "zh-Hant": str.maketrans({**_CHINESE, "・": ""}),
}
_LOOSE_ELSEWHERE = str.maketrans(_HYPHEN)


def fold(text: str) -> str:
    """The name in lower case and in one of its forms in Unicode, wide and narrow letters alike, with single spaces."""
    if text.isascii():
        text = text.lower().replace("`", "'")
    else:
        text = unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold()
        text = unicodedata.normalize("NFKC", text).translate(_SIGNS)
    return " ".join(text.split())


def fold_turkish(text: str) -> str:
    """The same by Turkish rules, where İ is the capital of i and I that of ı."""
    return fold(unicodedata.normalize("NFC", text).replace("İ", "i").replace("I", "ı"))


def loosen(folded: str, language: str) -> str:
    """A folded name without what people leave out, or write in another way, in a language."""
    return " ".join(folded.translate(_LOOSE.get(language, _LOOSE_ELSEWHERE)).split())


def keys(name: str, language: str) -> tuple[str, str]:
    """What a name in a language is found by: its folded and its loosened form."""
    folded = fold_turkish(name) if language == _TURKISH else fold(name)
    return folded, loosen(folded, language)


def queries(text: str) -> Iterator[tuple[str, str | None, bool]]:
    """What is looked for to find the name that a text may be.

    Yields:
        A key, the language whose names it may find, None for any, and whether it is the folded text, not a looser form.
    """
    folded = fold(text)
    if "I" in text or "İ" in text:
        yield fold_turkish(text), _TURKISH, True
    yield folded, None, True
    if (loose := loosen(folded, "")) != folded:
        yield loose, None, False
    if not folded.isascii():
        for language in _LOOSE:
            if (of_language := loosen(folded, language)) not in (folded, loose):
                yield of_language, language, False
