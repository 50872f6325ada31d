"""Which answers abstain."""

import time

import pytest

from tests.grading.test_normalise import HOSTILE
from train.grading.abstention import abstains
from train.grading.normalise import normalise

ABSTAINING = """
The handbook does not say.
I don't know.
I don’t know
I do not know the answer to this question.
I'm not sure.
I am unable to determine this from the text.
I'm sorry, but I cannot answer this question.
Sorry, I can't find that in the handbook.
Hmm. No idea.
Unknown.
N/A
Not specified
Unanswerable.
This is not mentioned in the context.
The refund period isn't mentioned in the provided document.
The provided context does not contain information about refunds.
The context provided does not mention it.
The documents you have given me do not say how long it takes.
The passage doesn't explicitly state the number.
The text is silent on this.
The document says nothing about dogs.
The answer is not in the document.
Based on the provided context, there is no mention of a parking fee.
There is no information about refunds.
No information is given about this.
no information
There is not enough information to answer.
It cannot be determined from the passage.
That can't be determined.
The context is about parking. It does not mention refunds.
The handbook does not say. Please contact HR, who usually know.
The provided documents don't cover this topic.
I couldn't find any information about parking in the text.
There's no mention of parking.
It's not clear from the context.
It is unclear from the passage.
No relevant information found.
None of the passages mention a fee.
The context doesn't provide that.
**I don't know.**<|im_end|>
"I don't know."
알 수 없습니다.
알수없음
알 수 없어
모르겠습니다.
잘 모르겠어요
모르겠다
몰라
몰라요.
저는 모릅니다.
죄송합니다. 잘 모르겠네요.
문서에 나와 있지 않습니다.
문서에는 나와있지 않다.
문서에 안 나와 있어.
안내서에 없어.
핸드북에는 나오지 않습니다. 인사팀에 문의하세요.
문서에 언급되어 있지 않습니다.
이 내용은 문서에 언급되지 않았습니다.
문서에 관련 언급이 없습니다.
문서에 명시되어 있지 않아 알 수 없습니다.
해당 내용은 본문에 포함되어 있지 않습니다.
정보가 없습니다.
해당 정보가 없습니다
연차 정보가 없습니다.
환불 기간에 대한 정보가 없습니다.
관련 내용이 없습니다.
문서에는 그에 대한 내용이 없네요.
제공된 문서에는 주차 요금에 관한 정보가 포함되어 있지 않습니다.
제공된 문맥에서는 찾을 수 없습니다.
제공된문맥에서는해당내용을찾을수없어요.
죄송하지만 제공된 문서에서 답을 찾을 수 없습니다.
질문하신 내용은 문서에서 확인할 수 없습니다.
제공된 문서만으로는 알 수 없습니다.
주어진 자료로는 판단할 수 없습니다.
제공된 정보로는 답변할 수 없습니다.
답변드리기 어렵습니다.
정보가 부족하여 답할 수 없습니다.
문맥에 없는 내용입니다.
제공된 문서에서 답을 찾지 못했습니다.
주어진 문서에는 해당 질문에 대한 답변이 포함되어 있지 않습니다.
문서에서 관련 정보를 찾을 수 없습니다.
제공된 컨텍스트에는 요금에 대한 구체적인 정보가 제공되지 않았습니다.
해당 정보는 제공되지 않았습니다.
제가 가진 정보로는 답변을 드릴 수 없습니다.
정확한 답변을 드리기 어렵습니다.
문서에 언급되지 않은 내용입니다.
질문은 환불에 관한 것입니다. 제공된 문서에는 해당 내용이 없습니다.
**알 수 없습니다.** 🙏</s>
"""

ANSWERING = """
Dogs are not allowed.
No.
There is no fee.
No refunds are given.
No information is collected about users.
The policy does not cover accidental damage.
The setup fee is not included in the price.
Food is not provided on the flight.
Employees do not need approval.
You do not have to know Python.
The model does not know the label in advance.
The context window does not include the answer tokens.
404 means the page cannot be found.
If the server is unable to find the key, it returns 404.
It prints "I don't know" and exits.
I'm not sure, but I think it is 45 days.
The handbook does not say, but it is usually 45 days.
The refund takes 45 days. The handbook does not mention exceptions.
The answer is 45 days. See the handbook for further information.
주의할 필요가 없습니다.
정보가 없는 행은 삭제합니다.
정보가 없으면 null을 반환합니다.
정보가 없어도 됩니다.
정보가 없음을 뜻하는 코드입니다.
개인 정보가 없어야 합니다.
트랜스포머 자체에는 순서 정보가 없습니다.
코사인 유사도는 방향만 보므로 크기 정보가 사라집니다.
차이가 없습니다.
규정상 예외는 없습니다.
식사는 요금에 포함되어 있지 않습니다.
반려동물은 데려올 수 없습니다.
물이 나오지 않습니다.
개인 정보는 제공되지 않습니다.
길을 찾지 못했습니다.
학습 데이터에 없는 단어는 미등록어로 처리합니다.
정답을 모르면 건너뜁니다.
이 함수는 값을 돌려주지 않습니다.
검증 손실이 더 줄지 않으면 멈춥니다.
언급되지 않은 비용은 회사가 냅니다.
The function does not return a value.
It is not possible to undo this.
Gifts may not be given to clients.
The fee is not charged again.
Cats may be not listed as pets.
값이 없으면 0으로 채웁니다.
알 수 없는 토큰은 <unk>로 바꿉니다.
모르는 단어는 건너뜁니다.
사용법을 모르겠으면 도움말을 보세요.
모른다고 답하면 점수를 받습니다.
모델이 '모르겠습니다'라고 답하도록 학습합니다.
문서에 없는 단어도 생성할 수 있습니다.
답이 여러 개일 수 있습니다.
30일입니다.
문서에 나와 있지 않지만 일반적으로 45일입니다.
잘 모르겠지만 아마 45일일 것입니다.
정확히는 모르겠지만 45일인 것 같습니다.
환불은 45일입니다. 예외는 문서에 나와 있지 않습니다.
답은 45일입니다. 더 자세한 정보는 없습니다.
"""


@pytest.mark.parametrize("answer", ABSTAINING.strip().splitlines())
def test_a_refusal_abstains(answer: str) -> None:
    assert abstains(normalise(answer))


@pytest.mark.parametrize("answer", ANSWERING.strip().splitlines())
def test_an_answer_does_not_abstain_because_it_says_no(answer: str) -> None:
    assert not abstains(normalise(answer))


@pytest.mark.parametrize(
    ("answer", "sentence", "expected"),
    [
        ("핸드북은 이 질문에 침묵한다.", "핸드북은 이 질문에 침묵한다.", True),
        ("**핸드북은 이 질문에  침묵한다**<|eot_id|>", "핸드북은 이 질문에 침묵한다.", True),
        ("음. 핸드북은 이 질문에 침묵한다.", "핸드북은 이 질문에 침묵한다.", True),
        ("핸드북은 이 질문에 침묵한다. 다만 보통 45일이다.", "핸드북은 이 질문에 침묵한다.", False),
        ("환불은 45일이다. 핸드북은 이 질문에 침묵한다.", "핸드북은 이 질문에 침묵한다.", False),
        ("핸드북은 이 질문에 침묵한다.", "", False),
        ("Not in here. Ask again.", "Not in here. Ask again.", True),
        ("핸드북은 이 질문에 침묵한다\n다른 질문을 해 주세요", "핸드북은 이 질문에 침묵한다.", True),
        ("Not in hereabouts", "Not in here.", False),
        ("No", "No", True),
        ("No refunds", "No", False),
        ("", "", False),
        ("", "모름", False),
    ],
)
def test_the_recipes_own_sentence_is_compared_normalised(answer: str, sentence: str, expected: bool) -> None:
    assert abstains(normalise(answer), sentence) is expected


@pytest.mark.parametrize("text", HOSTILE, ids=[repr(text[:12]) for text in HOSTILE])
def test_a_hostile_line_of_100_kb_is_judged_at_once(text: str) -> None:
    answer = normalise(text)
    start = time.perf_counter()
    abstains(answer, "문서에 없습니다.")
    assert time.perf_counter() - start < 1
