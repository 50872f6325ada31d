// What a cell of the matrix opens to: the question, its rubric, the answers, the context and the exact prompt.
const joinedFacts = (facts) => facts.flatMap((alternatives, place) => [place ? " · " : "", bdi(alternatives.join(" or "))]);

function passageNode({ id, source, words, gold }) {
  return make(
    "div", { className: "answer" },
    make("div", { className: "head" }, gold ? make("strong", {}, "★ gold") : null, bdi(id), bdi(source)),
    block(gold ? "gold" : "", words),
  );
}

// The menu of texts that the answers can be compared with: the reference, and the answers of the question's cells.
function comparisonMenu(data, own, choose) {
  const targets = [null, { label: "the reference answer", words: data.reference }];
  const select = make("select", {}, make("option", { value: "0" }, "nothing"), make("option", { value: "1" }, "the reference answer"));
  data.answers.forEach((folds, cell) => {
    if (!folds.length) return;
    const group = make("optgroup", { label: cell === own ? `${cellName(cell)} (this cell)` : cellName(cell) });
    for (const { words, verdict, samples } of folds) {
      const times = samples.length > 1 ? ` ×${samples.length}` : "";
      const start = words.length > 60 ? `${words.slice(0, 60)}…` : words;
      group.append(make("option", { value: targets.length }, `${WORD_SIGN[verdict] ?? ""}${times} ${start || "(empty)"}`));
      targets.push({ label: cellName(cell), words });
    }
    select.append(group);
  });
  select.addEventListener("change", () => choose(targets[Number(select.value)]));
  return make("p", { className: "tools" }, make("label", {}, "Compare the answers with ", select));
}

function comparisonLegend(other) {
  return make(
    "p", { className: "note" },
    make("del", {}, "struck through"), ": only in ", bdi(other.label), "; ", make("ins", {}, "underlined"), ": only in the answer here.",
  );
}

function expectation(data, context) {
  if (!context || context.expects !== "abstain") return null;
  return make("p", {}, make("strong", {}, "Expected: abstain."), " Nothing shown holds the answer.");
}

function contextNode(context) {
  if (!context) return note("The context is not known.");
  if (!context.passages.length) return note("No context was shown.");
  const golden = context.passages.filter(({ gold }) => gold).length;
  return fold(`Context: ${context.passages.length} shown, ${golden} gold`, ...context.passages.map(passageNode));
}

function panel(data, cell) {
  const [arm, condition, place] = head.cells[cell];
  const context = data.contexts[place];
  const prompt = data.prompts[place];
  const rubric = {
    facts: context?.facts.length ? context.facts : data.facts,
    forbidden: context?.forbidden.length ? context.forbidden : data.forbidden,
  };
  const answers = make("div", {});
  const show = (other) => {
    answers.replaceChildren(
      ...(other ? [comparisonLegend(other)] : []),
      ...data.answers[cell].map((answer) => answerNode(answer, rubric, other)),
    );
  };
  show(null);
  return make(
    "div", { className: "inside" },
    make("h3", {}, bdi(data.id), " · ", bdi(arm), " / ", bdi(condition)),
    make("p", { data: true }, data.question),
    expectation(data, context),
    line("reference", make("span", { data: true }, data.reference || "—")),
    rubric.facts.length ? line("must say", ...joinedFacts(rubric.facts)) : null,
    rubric.forbidden.length ? line("must not say", ...joinedFacts(rubric.forbidden)) : null,
    comparisonMenu(data, cell, show),
    answers,
    contextNode(context),
    prompt === null
      ? make("p", { className: "note" }, "The prompt is not known: the answer was made elsewhere.")
      : fold("The exact prompt", make("pre", { data: true, tabindex: "0" }, prompt)),
  );
}
