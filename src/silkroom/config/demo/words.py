"""What people say in the demo's show: viewers' names, comments and questions, the host's lines. All invented.

Kind and plain, as people are who like clothes. Words about a garment are kept by its drawing; the rest fits any
moment.
"""

from __future__ import annotations

from silkroom.config.demo.brand import Words

NAMES_ZH = (
    "阿茶", "小满不满", "南窗", "桂花酒酿", "林一", "糯米团", "十二月", "见山", "阿芷", "青团", "半夏", "橘子汽水",
    "云片糕", "一只鹤", "晚风", "苏苏", "麦冬", "小雨姐姐", "木子", "清和", "栗子", "白露", "阿宁", "豆蔻",
    "梧桐树下", "慢慢来", "朵朵妈", "竹影", "江上客", "杏花村", "酥饼", "元宵",
)  # fmt: skip
NAMES_EN = (
    "Hannah", "Mei K.", "Odile", "Priya", "Tessa", "Wren", "June", "Ingrid", "Lucia", "Noor", "Saoirse", "Bea",
)  # fmt: skip

COMMENTS: tuple[Words, ...] = (
    Words("刚进来，今天有什么好看的？", "Just got here, what did I miss?"),
    Words("灯光打上去太美了", "The light on this silk is unreal"),
    Words("主播声音好温柔", "Your voice is so calming"),
    Words("音乐好听，像坐在水边", "Love the music, like sitting by the water"),
    Words("上次买的衬衫已经穿旧了还舍不得扔，回来再买一件", "Wore my first shirt from you to shreds, back for another"),
    Words("真丝夏天穿真的不闷", "Silk in summer really does breathe"),
    Words("光泽看着不像假的，很润", "That sheen is soft, not shiny. Lovely"),
    Words("画面好清楚，针脚都看得见", "Picture is so sharp I can see the seams"),
    Words("苏州的朋友举手", "Anyone else here from Suzhou?"),
    Words("河沿店我去过，店员超有耐心", "Visited the Riverside store, everyone was so patient"),
    Words("包装也很好，盒子我留着装信", "Even the box was pretty, I keep letters in it"),
    Words("手感像水一样", "It feels like water, honestly"),
    Words("能不能再转一圈看看背面", "Could we see the back once more?"),
    Words("这个颜色显白", "That colour is kind to every skin"),
    Words("已下单，等收货", "Ordered! Now the waiting"),
    Words("手慢了，我的码没了", "Too slow, my size is gone"),
    Words("又补货了吗？刚才看没有", "Oh, is my size back? It was gone a minute ago"),
    Words("妈妈生日就送这个了", "This is my mother's birthday sorted"),
    Words("主播今天气色真好", "You look well today!"),
    Words("晚上好呀大家", "Good evening everyone"),
    Words("第一次来，好安静的直播间", "First time here, such a quiet room"),
    Words("喜欢这种不吵的直播", "A live show without shouting. Thank you"),
    Words("三十多度的天，我只想穿丝", "At 35 degrees silk is all I want to wear"),
    Words("穿了一年多，越洗越软", "A year in and it only gets softer"),
    Words("背景也好看", "Even the background is pretty"),
    Words("价格比我想的友好", "Kinder price than I feared"),
    Words("想要全套", "I want the whole rail"),
    Words("我闺蜜也在看，哈哈", "My friend is watching too, hi!"),
    Words("刚才那个限时没抢到，下次早点来", "Missed that deal, will be earlier next time"),
    Words("谢谢主播耐心讲面料", "Thanks for explaining the fabric so patiently"),
    Words("收藏了，发工资就来", "Saved for payday"),
    Words("讲得好细，学到了", "I learn something every time"),
    Words("下班路上看的，心情变好了", "Watching on the train home, day improved"),
    Words("小朋友也说好看", "My daughter says it's pretty too"),
)

COMMENTS_ON: dict[str, tuple[Words, ...]] = {
    "slip_dress": (
        Words("垂褶太会了", "Those cowls!"),
        Words("斜裁的裙摆走起来肯定好看", "A bias hem like that must move so well"),
        Words("外面搭件毛衣，秋天也能穿", "With a jumper over it this works all autumn"),
        Words("墨青色我要了", "Ink teal is mine"),
    ),
    "shirt": (
        Words("这件衬衫的肩线放得正好", "Shoulders are just right on that shirt"),
        Words("天青色像下过雨", "Sky After Rain is such a good name for it"),
        Words("贝壳扣好评", "Real shell buttons, yes"),
        Words("男生能穿吗，我先生也想要", "My husband wants to borrow it already"),
    ),
    "qipao": (
        Words("盘扣是手工的吧，好精致", "Hand-tied knots, you can tell"),
        Words("枣红好喜庆", "Jujube red is so festive"),
        Words("领子低一点真的舒服", "A lower collar, finally"),
        Words("表姐婚礼就穿它", "That's my cousin's wedding outfit"),
    ),
    "scarf": (
        Words("那只鹭好呆，好可爱", "That heron is so lost in thought, I love it"),
        Words("想裱起来挂墙上", "I would frame it"),
        Words("系在包上也好看", "On a bag handle it would be perfect"),
        Words("雾蓝配橘红，绝了", "Mist blue with that orange moon, wow"),
    ),
    "pyjamas": (
        Words("穿这个睡觉要做好梦", "Good dreams guaranteed"),
        Words("嵌边好看", "The piping makes it"),
        Words("送给坐月子的朋友了，说很舒服", "Gave a set to a new mum, she lives in it"),
        Words("薄荷色太治愈", "That mint is so soothing"),
    ),
    "camisole": (
        Words("西装里面就缺这件", "Exactly what my blazer was missing"),
        Words("香槟色百搭", "Champagne goes with everything"),
        Words("细边做得真干净", "That bound edge is so clean"),
    ),
    "trousers": (
        Words("这条裤子走路有风", "Trousers with their own breeze"),
        Words("高腰显腿长", "High waist, legs for days"),
        Words("藏青上班也能穿", "Navy for the office, done"),
    ),
    "robe": (
        Words("穿上就是度假", "Instant holiday"),
        Words("海棠色太温柔了", "Crab Apple is so gentle"),
        Words("袖口翻边好看", "Love the turned cuffs"),
    ),
    "blouse": (
        Words("飘带好飘", "That bow floats"),
        Words("蜜光这个颜色像秋天的下午", "Honey Light looks like an autumn afternoon"),
        Words("泡泡袖不夸张，刚好", "Just enough sleeve, not too much"),
    ),
    "skirt": (
        Words("走一步亮一下，真的", "It really does flash with every step"),
        Words("陶杯色配白T", "Terracotta with a white tee, please"),
        Words("松绿显贵", "Spruce looks like old money"),
    ),
}

QUESTIONS: tuple[Words, ...] = (
    Words("可以机洗吗？", "Can it go in the machine?"),
    Words("多久能发货？", "How soon do you send?"),
    Words("不合适能退吗？", "Can I return it if it does not fit?"),
    Words("会不会容易勾丝？", "Does it snag easily?"),
    Words("怎么熨才不伤？", "How do I iron it safely?"),
    Words("能送礼物包装吗？", "Do you wrap gifts?"),
    Words("门店能试穿吗？", "Can I try it on in the store?"),
    Words("染色会掉吗？", "Will the colour bleed?"),
)

QUESTIONS_ON: dict[str, tuple[Words, ...]] = {
    "slip_dress": (
        Words("身高 158 穿 S 会不会太长？", "I am 158 cm, is S too long?"),
        Words("里面需要穿衬裙吗？", "Does it need a slip under it?"),
        Words("肩带可以调多短？", "How short do the straps go?"),
        Words("月白色会透吗？", "Is Moon White see-through?"),
    ),
    "shirt": (
        Words("胸围 92 选 M 还是 L？", "Bust 92, M or L?"),
        Words("双绉和素缎哪个耐穿？", "Which lasts longer, crêpe or satin?"),
        Words("袖子能挽起来不皱吗？", "Do the sleeves roll without creasing?"),
        Words("烟灰色偏蓝还是偏暖？", "Is Smoke bluish or warm?"),
    ),
    "qipao": (
        Words("开衩到哪里？", "How high are the slits?"),
        Words("坐下来会勒肚子吗？", "Is it tight when sitting?"),
        Words("盘扣能自己解开吗？", "Do the knots really open?"),
        Words("肩宽 39 能穿 M 吗？", "Shoulders 39 cm, will M fit?"),
    ),
    "scarf": (
        Words("方巾边是手卷的吗？", "Are the edges rolled by hand?"),
        Words("90 厘米能披肩吗？", "Is 90 cm enough for the shoulders?"),
        Words("两面颜色一样吗？", "Is the print the same on both sides?"),
        Words("杏子色适合黄皮吗？", "Would Apricot suit a warm skin?"),
    ),
    "pyjamas": (
        Words("裤腰松紧会不会紧？", "Is the waistband tight?"),
        Words("有没有七分袖的？", "Is there a shorter sleeve?"),
        Words("男款有吗？", "Do you make it for men?"),
        Words("冬天穿会不会凉？", "Is it cold in winter?"),
    ),
    "camisole": (
        Words("V 领会不会太低？", "How low is the V?"),
        Words("带胸垫吗？", "Is there padding?"),
        Words("单穿会走光吗？", "Can I wear it alone?"),
        Words("夏天出汗会留印吗？", "Does sweat show?"),
    ),
    "trousers": (
        Words("155 需要改裤脚吗？", "At 155 cm do I have to hem them?"),
        Words("腰围 72 选什么码？", "Waist 72, which size?"),
        Words("坐久了会鼓膝盖吗？", "Do the knees bag?"),
    ),
    "robe": (
        Words("有口袋吗？", "Does it have pockets?"),
        Words("带子会不会滑？", "Does the sash slip?"),
        Words("175 穿 L 到哪里？", "Where does L end at 175 cm?"),
    ),
    "blouse": (
        Words("飘带能拆吗？", "Does the bow come off?"),
        Words("袖口是松紧还是扣子？", "Elastic or buttons at the cuff?"),
        Words("掖进裙子会鼓吗？", "Does it bulk when tucked in?"),
    ),
    "skirt": (
        Words("后腰松紧能穿到几斤？", "How far does the elastic stretch?"),
        Words("走路会起静电吗？", "Does it cling with static?"),
        Words("配什么鞋好看？", "What shoes would you wear?"),
    ),
}

WELCOME = Words(
    "晚上好，我是闻溪。今晚十款，慢慢看，尺码不确定就问我。",
    "Good evening, I am Wen Xi. Ten pieces tonight, no hurry. Ask me about sizes.",
)

HOST_LINES: dict[str, tuple[Words, ...]] = {
    "slip_dress": (
        Words(
            "这条是整幅斜裁，没有一根省道，全靠面料自己垂。",
            "One width, cut on the bias, not a single dart: the cloth does it all.",
        ),
        Words(
            "看领口这三道，站着是静的，走起来才会动。",
            "Watch the three cowls: still when you stand, alive when you walk.",
        ),
    ),
    "shirt": (
        Words("双绉表面有一点颗粒，不显汗，也不怕皱。", "Crêpe has a fine grain: no sweat marks, few creases."),
        Words("肩线我们放宽了一指，敞着穿像外套。", "The shoulder is a finger wider, so it works open, as a jacket."),
    ),
    "qipao": (
        Words("领子低了一公分，坐着吃饭不顶下巴。", "The collar is a centimetre lower. You can eat in it."),
        Words("盘扣是三位师傅手打的，一颗要二十分钟。", "The knots are tied by hand, twenty minutes each."),
    ),
    "scarf": (
        Words("鹭是在平湾画的，那天雾很大。", "The heron was drawn at Pingwan, on a very foggy day."),
        Words("四边手工卷，一条要卷两个小时。", "All four edges rolled by hand, two hours a scarf."),
    ),
    "pyjamas": (
        Words("加了百分之五的氨纶，翻身不绷。", "Five percent elastane, so it turns over with you."),
        Words("裤腰松紧可以换，扣眼留好了。", "The elastic can be renewed, the opening is there."),
    ),
    "camisole": (
        Words("V 领刚好在锁骨下四指。", "The V ends four fingers below the collarbone."),
        Words("下摆略收，单穿不空，外搭不鼓。", "A slightly closed hem: good alone, flat under a jacket."),
    ),
    "trousers": (
        Words("三十姆米，是今晚最厚的一款，有骨子。", "Thirty momme, the heaviest tonight. It has bones."),
        Words("裤脚留了五公分，按身高改。", "Five centimetres of hem to shorten to your height."),
    ),
    "robe": (
        Words("两边有暗袋，放得下手机。", "Pockets in both seams, a phone fits."),
        Words("领襟和腰带是撞色，一片裁到底。", "Band and sash in the second colour, cut in one piece."),
    ),
    "blouse": (
        Words("飘带一米六，打结、绕一圈、垂着都行。", "The bow is 1.6 metres: tie it, wind it, let it hang."),
        Words("袖子是抽褶，不用衬，洗完抖一抖。", "Sleeves are gathered, not stiffened. Just shake them."),
    ),
    "skirt": (
        Words(
            "店里试穿率最高的一条，前面平，后腰有松紧。",
            "The most tried-on piece in our store: flat in front, elastic behind.",
        ),
        Words("走两步给大家看光。", "Let me walk a little, so you see the light."),
    ),
}
