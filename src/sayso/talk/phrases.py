"""What the agent says when nobody wrote its words: failures, and the silence of the caller. Pure.

In each language an agent may have (contract §2.2). The wording is formal, and tells neither whether
a man or a woman speaks nor to whom: any voice may speak it, to anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Phrases:
    """The usual sentences in one language.

    Attributes:
        llm_failed: the LLM gave nothing at all.
        llm_broke_off: the LLM died after part of the answer was said.
        not_heard: the caller spoke, and the speech-to-text engine failed.
        still_there: nobody has spoken for a while.
        still_here: nobody has spoken for a while again.
        nobody_there: nobody answered the nudges.
        time_is_near: the conversation will soon have taken its longest time; `{seconds}` stands for
            how many are left, which are more than ten (other numbers may want another plural).
        time_is_up: the conversation reached its longest time.
        one_moment: something is being looked up or done for the caller, and takes a while.
        goodbye: the LLM ends the conversation, and says nothing itself.
        connecting: the caller is handed on, and nobody has told them yet.
    """

    llm_failed: str
    llm_broke_off: str
    not_heard: str
    still_there: str
    still_here: str
    nobody_there: str
    time_is_near: str
    time_is_up: str
    one_moment: str
    goodbye: str
    connecting: str

    @property
    def nudges(self) -> tuple[str, ...]:
        """Said in turn when nobody speaks."""
        return (self.still_there, self.still_here)


ENGLISH: Final = Phrases(
    llm_failed="Sorry, I can't think of an answer right now. Please try again in a moment.",
    llm_broke_off="Sorry, I lost my train of thought there.",
    not_heard="Sorry, I had trouble hearing you. Could you say that again?",
    still_there="Are you still there?",
    still_here="I'm still here if you need me.",
    nobody_there="It seems you have gone, so I'll hang up now. Goodbye!",
    time_is_near="Just so you know, we have about {seconds} seconds left.",
    time_is_up="I'm sorry, our time is up. Goodbye!",
    one_moment="One moment, please.",
    goodbye="Goodbye!",
    connecting="I'll connect you now.",
)

PHRASES: Final[Mapping[str, Phrases]] = {
    "english": ENGLISH,
    "arabic": Phrases(
        llm_failed="عذرًا، لا تحضرني إجابة الآن. يُرجى المحاولة مرة أخرى بعد قليل.",
        llm_broke_off="عذرًا، انقطع حبل أفكاري.",
        not_heard="عذرًا، لم أسمع جيدًا. هل يمكن إعادة ذلك؟",
        still_there="هل ما زلت على الخط؟",
        still_here="ما زلت هنا إن احتجت إليّ.",
        nobody_there="يبدو أنه لم يعد هناك أحد، لذا سأنهي المكالمة الآن. مع السلامة!",
        time_is_near="للعلم، بقي لدينا حوالي {seconds} ثانية.",
        time_is_up="عذرًا، انتهى وقتنا. مع السلامة!",
        one_moment="لحظة من فضلكم.",
        goodbye="مع السلامة!",
        connecting="سيتم توصيل المكالمة الآن.",
    ),
    "french": Phrases(
        llm_failed="Excusez-moi, je ne trouve pas de réponse pour le moment. Veuillez réessayer "
        "dans un instant.",
        llm_broke_off="Excusez-moi, j'ai perdu le fil.",
        not_heard="Excusez-moi, je n'ai pas bien entendu. Pouvez-vous répéter ?",
        still_there="Êtes-vous toujours là ?",
        still_here="Je suis toujours là si vous avez besoin de moi.",
        nobody_there="Il semble qu'il n'y ait plus personne, je vais donc raccrocher. Au revoir !",
        time_is_near="Pour information, il nous reste environ {seconds} secondes.",
        time_is_up="Je regrette, notre temps est écoulé. Au revoir !",
        one_moment="Un instant, s'il vous plaît.",
        goodbye="Au revoir !",
        connecting="Je vous mets en relation.",
    ),
    "german": Phrases(
        llm_failed="Entschuldigung, mir fällt gerade keine Antwort ein. Bitte versuchen Sie es "
        "gleich noch einmal.",
        llm_broke_off="Entschuldigung, ich habe den Faden verloren.",
        not_heard="Entschuldigung, ich habe Sie schlecht verstanden. Könnten Sie das bitte "
        "wiederholen?",
        still_there="Sind Sie noch da?",
        still_here="Ich bin noch da, falls Sie mich brauchen.",
        nobody_there="Sie sind anscheinend nicht mehr da, deshalb lege ich jetzt auf. Auf "
        "Wiederhören!",
        time_is_near="Nur zur Information: Wir haben noch etwa {seconds} Sekunden.",
        time_is_up="Es tut mir leid, unsere Zeit ist um. Auf Wiederhören!",
        one_moment="Einen Moment, bitte.",
        goodbye="Auf Wiederhören!",
        connecting="Ich verbinde Sie jetzt.",
    ),
    "greek": Phrases(
        llm_failed="Συγγνώμη, δεν μπορώ να σκεφτώ μια απάντηση αυτή τη στιγμή. Δοκιμάστε ξανά σε "
        "λίγο.",
        llm_broke_off="Συγγνώμη, έχασα τον ειρμό μου.",
        not_heard="Συγγνώμη, δεν σας άκουσα καλά. Μπορείτε να το επαναλάβετε;",
        still_there="Είστε ακόμα εκεί;",
        still_here="Είμαι ακόμα εδώ, αν με χρειαστείτε.",
        nobody_there="Φαίνεται ότι φύγατε, οπότε θα κλείσω τώρα. Αντίο!",
        time_is_near="Για να το γνωρίζετε, μας απομένουν περίπου {seconds} δευτερόλεπτα.",
        time_is_up="Λυπάμαι, ο χρόνος μας τελείωσε. Αντίο!",
        one_moment="Μια στιγμή, παρακαλώ.",
        goodbye="Αντίο!",
        connecting="Σας συνδέω τώρα.",
    ),
    "hindi": Phrases(
        llm_failed="माफ़ कीजिए, अभी मुझे कोई जवाब नहीं सूझ रहा है। कृपया थोड़ी देर में फिर कोशिश करें।",
        llm_broke_off="माफ़ कीजिए, मेरी बात बीच में ही टूट गई।",
        not_heard="माफ़ कीजिए, ठीक से सुनाई नहीं दिया। कृपया फिर से कहिए।",
        still_there="क्या आप अब भी वहाँ हैं?",
        still_here="अगर आपको ज़रूरत हो तो मैं यहीं हूँ।",
        nobody_there="लगता है कि अब वहाँ कोई नहीं है, इसलिए यह कॉल समाप्त की जा रही है। नमस्ते!",
        time_is_near="आपको बता दें कि हमारे पास लगभग {seconds} सेकंड बचे हैं।",
        time_is_up="माफ़ कीजिए, हमारा समय समाप्त हो गया है। नमस्ते!",
        one_moment="एक क्षण, कृपया।",
        goodbye="नमस्ते!",
        connecting="अब आपकी कॉल जोड़ी जा रही है।",
    ),
    "italian": Phrases(
        llm_failed="Mi dispiace, al momento non mi viene in mente una risposta. Riprovi tra un "
        "attimo, per favore.",
        llm_broke_off="Mi scusi, ho perso il filo.",
        not_heard="Mi scusi, non ho sentito bene. Può ripetere?",
        still_there="È ancora lì?",
        still_here="Sono ancora qui, se ha bisogno di me.",
        nobody_there="Sembra che non ci sia più nessuno, quindi riattacco. Arrivederci!",
        time_is_near="La informo che ci restano circa {seconds} secondi.",
        time_is_up="Mi dispiace, il nostro tempo è finito. Arrivederci!",
        one_moment="Un momento, per favore.",
        goodbye="Arrivederci!",
        connecting="La metto subito in contatto.",
    ),
    "japanese": Phrases(
        llm_failed=""
        "申し訳ありません。今はお答えが思い浮かびません。少し待ってから、もう一度お試しください。",
        llm_broke_off="すみません、話の途中で分からなくなってしまいました。",
        not_heard="すみません、よく聞き取れませんでした。もう一度おっしゃっていただけますか。",
        still_there="まだいらっしゃいますか。",
        still_here="まだここにおりますので、何かあればおっしゃってください。",
        nobody_there="お返事がないようですので、通話を終了いたします。失礼いたします。",
        time_is_near="お知らせいたします。残り時間は約{seconds}秒です。",
        time_is_up="申し訳ありません。お時間となりました。失礼いたします。",
        one_moment="少々お待ちください。",
        goodbye="失礼いたします。",
        connecting="ただいまおつなぎいたします。",
    ),
    "korean": Phrases(
        llm_failed="죄송합니다. 지금은 답이 떠오르지 않습니다. 잠시 후에 다시 시도해 주세요.",
        llm_broke_off="죄송합니다. 하던 말을 잊어버렸습니다.",
        not_heard="죄송합니다. 잘 들리지 않았습니다. 다시 말씀해 주시겠어요?",
        still_there="아직 계신가요?",
        still_here="저는 아직 여기 있으니 필요하시면 말씀해 주세요.",
        nobody_there="자리에 안 계신 것 같아 전화를 끊겠습니다. 안녕히 계세요!",
        time_is_near="참고로 약 {seconds}초 남았습니다.",
        time_is_up="죄송합니다. 시간이 다 되었습니다. 안녕히 계세요!",
        one_moment="잠시만 기다려 주세요.",
        goodbye="안녕히 계세요!",
        connecting="지금 연결해 드리겠습니다.",
    ),
    "malay": Phrases(
        llm_failed="Maaf, saya tidak dapat memikirkan jawapan sekarang. Sila cuba lagi sebentar "
        "lagi.",
        llm_broke_off="Maaf, saya terlupa apa yang hendak saya katakan.",
        not_heard="Maaf, saya tidak dapat mendengar dengan jelas. Boleh ulang sekali lagi?",
        still_there="Adakah anda masih di sana?",
        still_here="Saya masih di sini jika anda memerlukan saya.",
        nobody_there="Nampaknya tiada sesiapa di talian, jadi saya akan menamatkan panggilan ini. "
        "Selamat tinggal!",
        time_is_near="Untuk makluman, kita ada kira-kira {seconds} saat lagi.",
        time_is_up="Maaf, masa kita sudah tamat. Selamat tinggal!",
        one_moment="Sila tunggu sebentar.",
        goodbye="Selamat tinggal!",
        connecting="Saya akan menyambungkan panggilan anda sekarang.",
    ),
    "mandarin": Phrases(
        llm_failed="抱歉，我现在想不出答案。请稍后再试一次。",
        llm_broke_off="抱歉，我刚才的思路断了。",
        not_heard="抱歉，我没有听清楚。您能再说一遍吗？",
        still_there="您还在吗？",
        still_here="我还在，有需要请告诉我。",
        nobody_there="看来您已经离开了，那我就先挂断了。再见！",
        time_is_near="提醒您一下，我们大约还有{seconds}秒。",
        time_is_up="很抱歉，我们的时间到了。再见！",
        one_moment="请稍等。",
        goodbye="再见！",
        connecting="现在为您转接。",
    ),
    "polish": Phrases(
        llm_failed="Przepraszam, nie potrafię teraz znaleźć odpowiedzi. Proszę spróbować "
        "ponownie za chwilę.",
        llm_broke_off="Przepraszam, urwał mi się wątek.",
        not_heard="Przepraszam, słabo słychać. Czy można prosić o powtórzenie?",
        still_there="Halo, czy ktoś tam jest?",
        still_here="Nadal tu jestem, w razie potrzeby.",
        nobody_there="Wygląda na to, że nikogo już nie ma, więc kończę rozmowę. Do usłyszenia!",
        time_is_near="Chcę tylko uprzedzić, że zostało nam około {seconds} sekund.",
        time_is_up="Przykro mi, nasz czas się skończył. Do usłyszenia!",
        one_moment="Chwileczkę, proszę.",
        goodbye="Do usłyszenia!",
        connecting="Już łączę.",
    ),
    "portuguese": Phrases(
        llm_failed="Desculpe, não consigo pensar numa resposta agora. Tente novamente daqui a "
        "pouco, por favor.",
        llm_broke_off="Desculpe, perdi o fio da meada.",
        not_heard="Desculpe, não ouvi bem. Pode repetir?",
        still_there="Ainda está aí?",
        still_here="Continuo aqui, se precisar de mim.",
        nobody_there="Parece que não há mais ninguém aí, então vou desligar. Até logo!",
        time_is_near="Só para avisar, ainda temos cerca de {seconds} segundos.",
        time_is_up="Sinto muito, o nosso tempo acabou. Até logo!",
        one_moment="Um momento, por favor.",
        goodbye="Até logo!",
        connecting="Vou transferir a sua chamada agora.",
    ),
    "russian": Phrases(
        llm_failed="Извините, сейчас не могу найти ответ. Пожалуйста, попробуйте ещё раз чуть "
        "позже.",
        llm_broke_off="Извините, мысль ускользнула.",
        not_heard="Извините, вас плохо слышно. Повторите, пожалуйста.",
        still_there="Вы ещё на линии?",
        still_here="Я всё ещё здесь, если понадоблюсь.",
        nobody_there="Похоже, на линии никого нет, поэтому я заканчиваю разговор. До свидания!",
        time_is_near="Предупреждаю: у нас осталось около {seconds} секунд.",
        time_is_up="К сожалению, наше время истекло. До свидания!",
        one_moment="Одну минуту, пожалуйста.",
        goodbye="До свидания!",
        connecting="Соединяю вас.",
    ),
    "spanish": Phrases(
        llm_failed="Lo siento, ahora mismo no se me ocurre ninguna respuesta. Inténtelo de nuevo "
        "en un momento, por favor.",
        llm_broke_off="Perdón, perdí el hilo.",
        not_heard="Perdón, no se ha oído bien. ¿Podría repetirlo?",
        still_there="¿Sigue ahí?",
        still_here="Sigo aquí por si me necesita.",
        nobody_there="Parece que ya no hay nadie, así que voy a colgar. ¡Adiós!",
        time_is_near="Le aviso de que nos quedan unos {seconds} segundos.",
        time_is_up="Lo siento, se nos ha acabado el tiempo. ¡Adiós!",
        one_moment="Un momento, por favor.",
        goodbye="¡Adiós!",
        connecting="Le paso ahora mismo.",
    ),
    "thai": Phrases(
        llm_failed="ขออภัย ตอนนี้ยังนึกคำตอบไม่ออก กรุณาลองใหม่อีกครั้งในอีกสักครู่",
        llm_broke_off="ขออภัย เมื่อครู่พูดค้างไว้แล้วนึกต่อไม่ออก",
        not_heard="ขออภัย ได้ยินไม่ชัด กรุณาพูดอีกครั้ง",
        still_there="ยังอยู่ในสายหรือไม่",
        still_here="เรายังอยู่ตรงนี้ หากต้องการความช่วยเหลือ",
        nobody_there="ดูเหมือนว่าไม่มีใครอยู่ในสายแล้ว จึงขอวางสาย สวัสดี",
        time_is_near="ขอแจ้งให้ทราบว่าเหลือเวลาอีกประมาณ {seconds} วินาที",
        time_is_up="ขออภัย หมดเวลาแล้ว สวัสดี",
        one_moment="กรุณารอสักครู่",
        goodbye="สวัสดี",
        connecting="กำลังโอนสายให้",
    ),
    "turkish": Phrases(
        llm_failed="Üzgünüm, şu anda bir cevap bulamıyorum. Lütfen biraz sonra tekrar deneyin.",
        llm_broke_off="Affedersiniz, ne diyeceğimi unuttum.",
        not_heard="Affedersiniz, sizi iyi duyamadım. Tekrar eder misiniz?",
        still_there="Hâlâ orada mısınız?",
        still_here="Bana ihtiyacınız olursa buradayım.",
        nobody_there="Sanırım ayrıldınız, bu yüzden şimdi kapatıyorum. Hoşça kalın!",
        time_is_near="Bilginize, yaklaşık {seconds} saniyemiz kaldı.",
        time_is_up="Üzgünüm, süremiz doldu. Hoşça kalın!",
        one_moment="Bir dakika, lütfen.",
        goodbye="Hoşça kalın!",
        connecting="Sizi şimdi bağlıyorum.",
    ),
}


_TAGS: Final = {
    "ar": "arabic",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "hi": "hindi",
    "it": "italian",
    "ja": "japanese",
    "ko": "korean",
    "ms": "malay",
    "pl": "polish",
    "pt": "portuguese",
    "ru": "russian",
    "th": "thai",
    "tr": "turkish",
    "zh": "mandarin",
}


def speaks(voice_language: str, language: str) -> bool:
    """Whether a voice of `voice_language`, a BCP 47 tag or a name, speaks `language`."""
    tag = voice_language.lower()
    return tag == "any" or _TAGS.get(re.split("[-_]", tag)[0], tag) == language


def phrases_in(language: str, voice_language: str = "any") -> Phrases:
    """The usual sentences for an agent that speaks `language`, named as the contract does.

    A voice of one language gets them in its own: the bundled one, English, makes no sound at all of
    Japanese, and silence is never an answer. `voice_language` is its BCP 47 tag or its name. What
    has no table is spoken in English.
    """
    tag = voice_language.lower()
    voices = _TAGS.get(re.split("[-_]", tag)[0], tag)
    return PHRASES.get(voices) or PHRASES.get(language, ENGLISH)
