"use strict";
// Shows one answer at a time and sends what the person says of it. All text goes in through textContent, so nothing
// from an answer can act. The form of the state is that of `Desk._state` in desk.py.
(() => {
  const byId = (id) => document.getElementById(id);
  let state = null;
  let busy = false; // one thing at a time: a key that is pressed twice must not label the next answer unseen

  function write(id, words) {
    const element = byId(id);
    element.textContent = words || "(empty)";
    element.classList.toggle("empty", !words);
  }

  function list(name, entries) {
    byId(`${name}-part`).hidden = !entries.length;
    byId(name).replaceChildren(
      ...entries.map((words) => {
        const entry = document.createElement("li");
        entry.dir = "auto";
        entry.textContent = words;
        return entry;
      }),
    );
  }

  function passages(shown) {
    byId("context-part").hidden = !shown.length;
    byId("context-part").open = false;
    byId("context-title").textContent = `What it was shown: ${shown.length} passage${shown.length === 1 ? "" : "s"}`;
    byId("context").replaceChildren(
      ...shown.flatMap(([source, words]) => {
        const title = document.createElement("h3");
        title.textContent = source;
        title.hidden = !source;
        const block = document.createElement("div");
        block.className = "text";
        block.dir = "auto";
        block.textContent = words;
        return [title, block];
      }),
    );
  }

  const EXPECTED = {
    answer: "An answer.",
    abstain: "That it abstains: nothing it was shown holds the answer. Label what it says all the same: a correct answer is “correct”.",
  };

  const width = (value) => `±${(100 * (value ?? 1)).toFixed(0)} points`;

  function show() {
    const { item, quality } = state;
    byId("who").textContent = state.who;
    byId("bar").max = state.planned || 1;
    byId("bar").value = state.labelled;
    byId("count").textContent = `${state.labelled} of ${state.planned} labelled`;
    byId("quality").textContent = quality.after
      ? `After ${quality.after} labels, how often the automatic grader says the same is known to ${width(quality.right)} ` +
        `where you say right, to ${width(quality.other)} elsewhere; ${width(quality.bound)} is enough.`
      : `How far the automatic grader can be trusted is measured after every ${quality.step} labels.`;
    byId("enough").hidden = !quality.enough;
    for (const button of document.querySelectorAll("[data-action=undo]")) button.disabled = !state.undo;
    for (const id of ["item", "verdict"]) byId(id).hidden = !item;
    byId("done").hidden = Boolean(item);
    if (!item) {
      const rest = state.answers - state.planned;
      byId("more").textContent = rest ? `${rest} more can be drawn: start again with a larger --answers, or all.` : "";
      byId("done").focus();
      return;
    }
    write("question", item.question);
    byId("expected").textContent = EXPECTED[item.expects];
    byId("note").textContent = item.note;
    byId("reference-part").hidden = !item.reference;
    write("reference", item.reference);
    list("facts", item.facts);
    list("forbidden", item.forbidden);
    passages(item.passages);
    write("answer", item.answer);
    byId("before").textContent = item.before ? `You said “${item.before.verdict}” before; that is taken back.` : "";
    byId("comment").value = item.before ? item.before.comment : "";
    window.scrollTo(0, 0);
    byId("question-title").focus({ preventScroll: true });
  }

  function tell(words, alarm = false) {
    byId("message").textContent = words;
    byId("message").classList.toggle("alarm", alarm);
  }

  async function ask(name, given) {
    if (busy) return;
    busy = true;
    try {
      const request = given === undefined
        ? {}
        : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given) };
      const response = await fetch(name, { ...request, signal: AbortSignal.timeout(20000) });
      if (response.status === 403) throw new Error("the server was started again; open the address that it printed last");
      const content = await response.json();
      if (!response.ok) throw new Error(content.error);
      state = content;
      show();
      tell(DONE[name](given ?? {}));
    } catch (error) {
      const words = error instanceof TypeError || error.name === "TimeoutError"
        ? "the server does not answer; start openbook label again and open the address that it prints"
        : error.message;
      tell(`Not stored: ${words}.`, true);
    } finally {
      busy = false;
    }
  }

  const DONE = {
    state: () => "",
    label: ({ verdict }) => `Stored: ${verdict}.`,
    undo: () => "The last label is taken back.",
    skip: () => "Skipped; it comes again at the end.",
  };

  const label = (verdict) => state?.item && ask("label", { id: state.item.id, verdict, comment: byId("comment").value });
  const skip = () => state?.item && ask("skip", { id: state.item.id });
  const undo = () => state?.undo && ask("undo", {});
  const comment = () => state?.item && byId("comment").focus();

  const KEYS = {
    1: () => label("correct"), 2: () => label("wrong"), 3: () => label("abstained"), c: comment, u: undo, s: skip,
  };
  // With a Korean keyboard the c key gives another letter, so where a key gives none of ours its place decides.
  const meant = ({ key, code }) =>
    /^[0-9a-z]$/i.test(key) ? key.toLowerCase() : (/^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(code)?.[1] ?? "").toLowerCase();

  document.addEventListener("keydown", (event) => {
    if (event.target === byId("comment")) {
      if (event.key === "Escape" && !event.isComposing) byId("question-title").focus({ preventScroll: true });
      return;
    }
    if (!byId("keys").checked || event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const act = KEYS[meant(event)];
    if (!act) return;
    event.preventDefault(); // or the c would stand in the comment
    act();
  });
  document.addEventListener("click", (event) => {
    const { verdict, action } = event.target.closest("button")?.dataset ?? {};
    if (verdict) label(verdict);
    if (action) ({ undo, skip })[action]();
  });
  byId("verdict").addEventListener("submit", (event) => event.preventDefault());

  ask("state");
})();
