// One answer in an opened cell: its text with what was found in it, its grades, its cause, its samples.
const WORD_SIGN = { correct: "✓", wrong: "✗", abstained: "∅", unscored: "?" };
const FINISH = { stop: "ended its turn", length: "stopped at the token limit" };

const seconds = (value) => (value === null ? "" : `${value.toFixed(2)} s`);

function sampleWords([seed, number, promptTokens, tokens, time], several) {
  const asked = promptTokens ? `${promptTokens} prompt tokens` : "";
  const said = tokens ? `${tokens} tokens` : "";
  const known = [asked, said, time ? seconds(time) : ""].filter(Boolean).join(", ");
  return `${several ? `seed ${seed} ` : ""}sample ${number}${known ? `: ${known}` : ""}`;
}

function answerText(answer, rubric, other) {
  if (!answer.words && !other?.words) return make("p", { className: "note" }, "(empty answer)");
  const nodes = other ? compared(other.words, answer.words) : null;
  if (nodes) return block("", ...nodes);
  return make("div", {}, block("", ...highlighted(answer, rubric)), other ? note("Too long to be compared word by word.") : null);
}

function factLines(answer) {
  const lines = [
    ["✓ found", answer.found, "found"], ["✗ missing", answer.missing, "missing"], ["✗ forbidden, but said", answer.violated, "violated"],
  ];
  return lines
    .filter(([, facts]) => facts.length)
    .map(([label, facts]) => line(label, ...facts.flatMap((fact, place) => [place ? " · " : "", bdi(fact)])));
}

function otherGrades(answer) {
  return answer.others.map(([grader, word, why]) =>
    line(`also graded by ${grader}`, `${WORD_SIGN[word] ?? ""} ${word}`, why ? ": " : "", bdi(why)));
}

// `other` is what it is compared with, as { label, words }; null to see what was found in it instead.
function answerNode(answer, rubric, other) {
  const { samples, verdict, grader, why } = answer;
  const several = new Set(samples.map(([seed]) => seed)).size > 1;
  const ended = FINISH[answer.finish] ?? answer.finish;
  return make(
    "div", { className: "answer" },
    make(
      "div", { className: "head" },
      make("strong", { className: `word ${verdict}` }, `${WORD_SIGN[verdict] ?? ""} ${verdict}`, samples.length > 1 ? ` ×${samples.length}` : ""),
      make("span", { className: "why" }, "graded", grader ? " by " : "", bdi(grader), why ? ": " : "", bdi(why)),
      ended ? make("span", { className: answer.finish === "length" ? "cut" : "why" }, bdi(ended)) : null,
      answer.disputed ? make("strong", {}, "⚑ people disagree") : null,
    ),
    answer.cause ? line("cause", bdi(answer.cause)) : null,
    answerText(answer, rubric, other),
    ...factLines(answer),
    ...otherGrades(answer),
    samples.length > 4
      ? make("details", { className: "note" }, make("summary", {}, `${samples.length} samples`), samples.map((each) => sampleWords(each, several)).join(" · "))
      : note(samples.map((each) => sampleWords(each, several)).join(" · ")),
  );
}
