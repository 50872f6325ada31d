"""How people and models say in Korean and English that they do not know: the patterns behind `abstention`.

English is matched on words parted by single spaces, with contractions written out (`does not`, `can not`, `i am`).
Korean is matched without whitespace, since writers differ in where they put it. Every pattern names a whole refusal;
a bare `not` or `없다` is none. All gaps are bounded, so that no text makes matching slow.
"""

from __future__ import annotations

import re


def _any(*words: str) -> str:
    """One of the words; each argument may hold several, parted by spaces."""
    return "(?:" + "|".join(word for group in words for word in group.split()) + ")"


WHOLE = frozenset(
    (
        "unknown", "idk", "n/a", "notavailable", "notprovided", "notfound", "notgiven", "noanswer", "noinfo", "unsure",
        "모름", "몰라", "몰라요", "미상", "알수없음", "확인불가", "답변불가", "판단불가", "정보없음", "해당정보없음",
        "관련정보없음", "관련내용없음", "언급없음", "답없음",
    )
)  # fmt: skip
"""Refusals too short to be looked for inside an answer: they must be all of it. Without whitespace."""

# --- English

_SOURCE = _any(
    "handbooks? documents? documentation docs contexts? passages? texts? sources? excerpts? articles? manuals? guides?",
    "policy policies materials? pages? references? corpus snippets? paragraphs? chapters? sections? content contract",
    "agreement information question faq",
)
# What may stand between a source and its verb: `the document that i was given does not say`. Anything else could be
# the sentence's real subject (`in the policy employees do not discuss salaries`).
_ASIDE = "(?: {})*".format(
    _any(
        "that which i you we was were is are have has been given the and or of in for to by me us above below itself",
        "here provided supplied available retrieved shown shared attached question contexts? passages? documents?",
        "texts? excerpts? information also simply just",
    )
)
_ADVERB = r"(?: (?:[a-z]+ly|currently|appear to|seem to|even|anywhere|always))?"
_TELL = _any(
    "say state mention specify tell indicate address explain discuss describe clarify disclose reveal answer define"
)
_TOLD = _any("mentioned stated specified disclosed indicated addressed discussed described clarified said")
_GIVEN = _any(
    "mentioned stated specified disclosed indicated addressed discussed described provided given included covered",
    "found available contained listed defined explained present documented clear",
)
_INFORMATION = (
    r"(?:(?:any|the|an|enough|sufficient|such|that|this|relevant|specific|explicit|direct|clear|detailed) ){0,3}"
    r"(?:information|info|details?|mention|indication|answers?|reference)\b"
)
_IN_SOURCE = rf"(?:anywhere )?(?:in|by|from|within|on) (?:[a-z]+ ){{0,3}}{_SOURCE}\b"
_FIND_OUT = _any("answer determine find tell say know confirm provide locate infer")

ENGLISH = re.compile(
    r"(?<![a-z'])(?:"
    + "|".join(
        (
            # I do not know, I do not have enough information, I am not sure, I cannot tell
            r"i (?:[a-z]+ly |just )?(?:do|did) not (?:[a-z]+ly )?know\b",
            rf"i (?:do|did) not (?:[a-z]+ly )?(?:have|see|find) {_INFORMATION}",
            r"i (?:do|did) not have access\b",
            r"i have no (?:idea|information|knowledge|way)\b",
            r"i am (?:[a-z]+ly )?(?:unsure|not (?:[a-z]+ly )?(?:sure|certain|aware))\b",
            rf"i am (?:not able|unable) to {_FIND_OUT}\b",
            rf"i (?:can|could) not (?:[a-z]+ly )?{_FIND_OUT}\b",
            rf"^\W*(?:sorry,? )?(?:no idea|not sure|unable to {_FIND_OUT}|can not {_FIND_OUT})\b",
            # the handbook does not say, contains no information, says nothing about, is silent on
            rf"(?:{_SOURCE}{_ASIDE}|it) (?:do|does|did) not{_ADVERB} {_TELL}\b",
            rf"(?:{_SOURCE}{_ASIDE}|it) (?:do|does|did) not{_ADVERB} (?:contain|include|give|have|offer|provide|hold) "
            rf"{_INFORMATION}",
            rf"(?:{_SOURCE}{_ASIDE}|it) (?:do|does|did) not{_ADVERB} (?:provide|contain|include|cover) "
            r"(?:it|this|that|the (?:answer|topic|question))\b",
            rf"none of the (?:[a-z]+ )?{_SOURCE} {_TELL}",
            rf"{_SOURCE}{_ASIDE} (?:contains?|has|have|gives?|provides?|includes?|offers?|makes?) no {_INFORMATION}",
            rf"{_SOURCE}{_ASIDE} (?:says?|mentions?|tells?|states?) nothing (?:about|on|of|regarding)\b",
            rf"{_SOURCE}{_ASIDE} (?:is|are) silent (?:about|on|as to|regarding)\b",
            # it is not mentioned; not provided, found or listed only with a source (`breakfast is not included`)
            rf"(?:^\W*|(?:is|are|was|were|has been) )not{_ADVERB} {_TOLD}\b(?! by)",
            rf"not{_ADVERB} {_GIVEN} {_IN_SOURCE}",
            rf"unclear {_IN_SOURCE}",
            rf"(?:answer|information|it|this|that)(?: to (?:this|the|your) question)? (?:is|are) not {_IN_SOURCE}",
            rf"nothing (?:[a-z]+ ){{0,5}}{_IN_SOURCE}",
            # it cannot be determined; there is no information, not enough information
            r"(?:can|could) not be (?:determined|answered|inferred|known|established|concluded|ascertained)\b",
            rf"(?:can|could) not be (?:found|located|confirmed|verified) {_IN_SOURCE}",
            r"(?:impossible|not possible) to (?:determine|answer|know|say|tell)\b",
            r"(?:not enough|insufficient|lack of) (?:information|info|context|details|evidence)\b",
            rf"there (?:is|are) not (?:any|enough|sufficient) {_INFORMATION}",
            rf"(?:there (?:is|are|was) |^\W*|i (?:see|find|found) )no {_INFORMATION}"
            rf"(?:\W*$|[.,;]| (?:about|on|regarding|concerning|as to|of|to answer|available|provided|given|found|"
            rf"is (?:given|available|provided|found)|{_IN_SOURCE}))",
            r"unanswerable\b",
        )
    )
    + ")"
)

# --- Korean, without whitespace

# The verb ends a clause. `없는`, `없으면` and `없다고` before a noun or a verb of saying belong to an answer.
_ENDING = (
    r"(?:(?:었|았)?습니다|어요?|아요?|네요?|군요|다|음|죠|지요|(?:으)?므로|으며|으나|지만|는데|은데|고|기(?:때문|에)|"
    r"[는은](?:것(?:같|으로|입니다)|(?:내용|정보|사항|질문)(?:입|이|임)))(?![라면야도진을]|는(?!데)|고(?:답|말|하|출력|응답|판단|표시)|이라)"
)
_TEXT = _any(
    "문서 문맥 맥락 컨텍스트 본문 지문 자료 내용 텍스트 핸드북 편람 안내서 안내문 매뉴얼 설명서 규정 지침 정보 글",
    "발췌문 단락 구절 질문 교재 교과서 기사 약관 계약서 context passage document",
)
_IN_TEXT = rf"{_TEXT}들?(?:에|상|내|안|속|만|으로|의내용)(?:에|에서|으로|만)?[서는도은]{{0,2}}"
_GAP = r"[^.!?]{0,40}?"
_ABOUT = r"(?:관련(?:된|한|하여|해서)?|해당|[대관]한|[대관]해서?는?|답할|답변할|충분한|구체적인|명확한|직접적인|필요한)"
# Written down: said of nothing but a text.
_WRITTEN = r"나와|나타나|적혀|쓰여|써|(?:언급|명시|기재|기술|서술)(?:되어|돼|하고)"
# Of a text only where one is named: a fee may be 포함되어있지않다 too.
_HELD = r"담겨|실려|들어|다루고|다뤄지고|(?:설명|포함|제시|제공|안내|기록)(?:되어|돼|하고)"
_SHOWN = r"나오|나타나|다루|다뤄지|확인되|알려주|담고있|포함하고있|(?:포함|설명|제시|제공)[되하]"
_THING = r"(?:바|내용|부분|것|정보|적)?[이가은는]?"
_LACKS = r"(?:전혀|따로|별도로|충분히|아무것도)?없"

KOREAN = re.compile(
    "|".join(
        (
            # 모르겠습니다, 저는 모릅니다, 몰라
            r"모르겠(?!으면|다면|을때|는경우|거든|으니|다는|다고|는지)",
            r"^(?:죄송.{0,12}?)?(?:저는|저도|나는|난|나도|저로서는|그건|그것은|이건|그부분은)?(?:잘|정확히는?)?"
            r"(?:모릅니다|모른다$|모르네요|몰라요?(?!도|서)|모름$|모르죠)",
            # 알 수 없습니다, 답변할 수 없습니다, 판단하기 어렵습니다; 찾을 수 없다 only of an answer or in a text
            rf"(?:알|판단할|파악할)(?:수|길|방법)[가는도이]?없{_ENDING}",
            rf"(?:^|{_ABOUT}|(?:정보|내용|답|답변|근거|언급|부분)[을를은는이]?|{_IN_TEXT}{_GAP})"
            rf"(?:찾을|찾아볼|확인할)(?:수|길|방법)[가는도이]?없{_ENDING}",
            rf"(?:^|{_ABOUT}|(?:정보|내용|답|답변|근거|언급|부분)[을를은는이]?|{_IN_TEXT}{_GAP})"
            r"(?:찾|찾아내|알아내|확인하)지(?:는|를)?못(?:했습|했어|했다|했네|하였|함|합니다)",
            rf"(?:답|답변|대답|응답)[을은]?(?:할|드릴|제공할|해드릴|내릴)수[가는]?없{_ENDING}",
            r"(?:답변|대답|판단|답)[을를]?(?:하기|드리기|해드리기)(?:가|는|에는)?(?:어렵|힘들)",
            rf"{_IN_TEXT}{_GAP}(?:답|판단|확인|파악|추론)[^.]{{0,6}}(?:어렵|불가|힘들)",
            # 나와 있지 않습니다, 언급되지 않았습니다, 문서에 포함되어 있지 않습니다, 안 나와 있어
            rf"(?:{_WRITTEN})있지[는도]?않{_ENDING}",
            rf"(?:언급|명시|기재|서술)[되하돼]지[는도]?않{_ENDING}",
            rf"{_IN_TEXT}{_GAP}(?:{_HELD})있지[는도]?않{_ENDING}",
            rf"{_IN_TEXT}{_GAP}(?:{_SHOWN})지[는도]?않{_ENDING}",
            rf"{_ABOUT}(?:정보|내용|답|답변)[가이은는](?:{_SHOWN})지[는도]?않{_ENDING}",
            rf"{_IN_TEXT}{_GAP}안(?:나와|나옴|나온|적혀|쓰여|써)",
            # 언급이 없습니다, 문서에 없습니다, 관련 정보가 없습니다; 순서 정보가 없다 is an answer
            rf"(?:언급|명시|기재|나와있|적혀있)[된는한]?{_THING}{_LACKS}{_ENDING}",
            rf"{_TEXT}들?(?:에|에는|에서는|에도|안에|안에는|내에|내에는|상에는|속에는){_LACKS}(?:{_ENDING}|는(?:내용|정보|질문))",
            rf"(?:^|{_ABOUT}|{_IN_TEXT}{_GAP})(?!더|추가|그외|이외)[^.,에은는을를]{{0,12}}(?<!더자세한)(?<!추가)"
            rf"(?:정보|내용|언급|근거|설명|단서|답|답변|자료)[가이은는도]?{_LACKS}{_ENDING}",
            r"(?:정보|내용|근거|단서|자료)[가이]?(?:부족|불충분)(?:합|하여|해|하므|하기|함|하다|한것)",
        )
    )
)

# --- Around a refusal

GUESS = re.compile(
    r"\b(?:usually|typically|generally|commonly|normally|probably|presumably|likely|in general|"
    r"i (?:would )?(?:think|believe|guess|assume|suppose|suspect|estimate)|my (?:best )?guess|as far as i know)\b"
    r"|\b(?:might|may|could|should|would) be\b[^.]{0,40}\d|\bbut\b[^.]{0,40}\bis\b[^.]{0,20}\d"
    r"|일반적으로|보통|대개|대체로|통상|아마|추측|추정|짐작|제\s?생각|상식적으로|제가\s?알기로"
    r"|\d[^.]{0,12}[일인할될]\s?(?:것|듯|수\s?있)"
)
"""An offer of an answer; after a refusal it takes the refusal back."""

ELSEWHERE = re.compile(
    r"\b(?:contact|check|refer|consult|ask|see|reach out)\b|문의|확인하|확인해|참고|참조|알아보|여쭤"
)
"""A pointer to where the answer may be, which is no guess."""

PREAMBLE = re.compile(
    rf"\b(?:{_SOURCE[3:-1]}|sorry|unfortunately|apolog[a-z]+|i|me|you|your|we|hmm|well|based)\b|{_TEXT}|죄송|안타깝|저는|제가|글쎄|^음"
)
"""Marks a sentence that leads up to a refusal, such as `The context is about parking.`"""
