"use strict";
// Filters the matrix and opens its cells. All text goes in through textContent, so nothing from an answer can act.
// The form of the data is that of `payload` in payload.py.
(() => {
  const byId = (id) => document.getElementById(id);
  let data = null; // parsed at the first opened cell: a large run's data need not be read to see the page
  const read = () => (data ??= JSON.parse(byId("payload").textContent));
  const text = (place) => data.texts[place];

  const make = (tag, options = {}, ...children) => {
    const element = document.createElement(tag);
    const { className, bidi, ...attributes } = options;
    if (className) element.className = className;
    if (bidi) element.dir = "auto";
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.filter((child) => child !== null));
    return element;
  };
  const bdi = (words) => make("bdi", {}, words);
  const block = (words, className = "") => make("div", { className: `text-block ${className}`, bidi: true }, words);
  const fold = (title, open, ...children) => {
    const details = make("details", {}, make("summary", {}, title), ...children);
    details.open = open;
    return details;
  };
  const line = (label, words) => make("div", {}, make("strong", {}, `${label}: `), bdi(words));
  const listed = (label, places) => (places.length ? line(label, places.map(text).join(" · ")) : null);

  const seconds = (value) => (value === null ? "" : value ? `${value.toFixed(2)} s` : "");
  const sample = ([seed, number, tokens, time], seeds) =>
    [seeds ? `seed ${seed} ` : "", `sample ${number}`, tokens ? `, ${tokens} tokens` : "", time ? `, ${seconds(time)}` : ""].join("");

  const SIGN = { correct: "✓", wrong: "✗", abstained: "∅", unscored: "?" };

  function answer([words, verdict, grader, why, finish, found, missing, violated, others, samples]) {
    const word = text(verdict);
    const seeds = new Set(samples.map(([seed]) => seed)).size > 1;
    const ended = { stop: "ended its turn", length: "stopped at the token limit" }[text(finish)] ?? text(finish);
    const by = text(grader) ? ` by ${text(grader)}` : "";
    const content = text(words) ? block(text(words)) : make("p", { className: "note" }, "(empty answer)");
    return make(
      "div", { className: "answer" },
      make(
        "div", { className: "head" },
        make("strong", {}, `${SIGN[word] ?? ""} ${word}`, samples.length > 1 ? ` ×${samples.length}` : ""),
        make("span", { className: "why" }, bdi(`graded${by}`), text(why) ? ": " : "", text(why) ? bdi(text(why)) : ""),
        ended ? make("span", { className: "why" }, bdi(ended)) : null,
      ),
      content,
      listed("facts found", found), listed("facts missing", missing), listed("forbidden facts said", violated),
      ...others.map(([name, said, reason]) => line(`also graded by ${text(name)}`, [text(said), text(reason)].filter(Boolean).join(": "))),
      make("span", { className: "note" }, samples.map((each) => sample(each, seeds)).join(" · ")),
    );
  }

  function passages(list) {
    return list.map(([id, source, words, gold]) =>
      make(
        "div", { className: "answer" },
        make("div", { className: "head" }, gold ? make("strong", {}, "★ gold") : null, bdi(text(id)), bdi(text(source))),
        block(text(words), gold ? "gold" : ""),
      ));
  }

  function panel(question, cell) {
    const [id, asked, reference, facts, forbidden] = data.questions[question];
    const [arm, condition, place] = data.cells[cell];
    const context = data.contexts[question][place];
    const prompt = data.prompts[question][place];
    const golden = context ? context[3].filter((passage) => passage[3]).length : 0;
    const shown = context ? `${context[3].length} shown, ${golden} gold` : "unknown";
    return make(
      "div", { className: "inside" },
      make("h3", {}, bdi(text(id)), " · ", bdi(text(arm)), " / ", bdi(text(condition))),
      make("p", { bidi: true }, text(asked)),
      context && text(context[0]) === "abstain"
        ? make("p", {}, make("strong", {}, "Expected: abstain."), " Nothing shown holds the answer.") : null,
      line("reference", text(reference)),
      listed("must say", context && context[1].length ? context[1] : facts),
      listed("must not say", context && context[2].length ? context[2] : forbidden),
      ...data.answers[question][cell].map(answer),
      fold(`Context: ${shown}`, false, ...(context ? passages(context[3]) : [])),
      prompt === null
        ? make("p", { className: "note" }, "The prompt is not known: the answer was made elsewhere.")
        : fold("The exact prompt", false, make("pre", { bidi: true }, text(prompt))),
    );
  }

  function close(row) {
    const next = row.nextElementSibling;
    if (next && next.classList.contains("panel")) next.remove();
    for (const button of row.querySelectorAll("[aria-expanded=true]")) button.setAttribute("aria-expanded", "false");
  }

  function toggle(button) {
    const row = button.closest("tr");
    const wasOpen = button.getAttribute("aria-expanded") === "true";
    close(row);
    if (wasOpen) return;
    read();
    const inside = panel(Number(row.dataset.question), Number(button.dataset.cell));
    row.after(make("tr", { className: "panel" }, make("td", { colspan: row.cells.length }, inside)));
    button.setAttribute("aria-expanded", "true");
  }

  const rows = [...document.querySelectorAll(".matrix tbody tr")];
  const haystacks = rows.map((row) => row.cells[0].textContent.normalize("NFKC").toLowerCase());

  function filter() {
    const split = byId("filter-split").value;
    const wanted = byId("filter-text").value.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
    const differs = byId("filter-differs").checked;
    const every = byId("filter-split").selectedIndex === 0;
    let shown = 0;
    rows.forEach((row, place) => {
      const keep = wanted.every((word) => haystacks[place].includes(word)) && (!differs || "differs" in row.dataset);
      if (!keep) close(row);
      row.hidden = !keep;
    });
    for (const group of document.querySelectorAll(".group")) {
      const kept = group.querySelectorAll("tr[data-question]:not([hidden])").length;
      group.hidden = !(kept && (every || group.dataset.split === split));
      shown += group.hidden ? 0 : kept;
    }
    byId("filter-count").textContent = `${shown} of ${rows.length} questions`;
  }

  document.documentElement.classList.add("scripted");
  byId("filters").hidden = false;
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("input", filter);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-cell]");
    if (button) toggle(button);
  });
  document.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && event.target.closest(".panel, tr[data-question]");
    const row = open && (open.classList.contains("panel") ? open.previousElementSibling : open);
    const button = row && row.querySelector("[aria-expanded=true]");
    if (button) { close(row); button.focus(); }
  });
  filter();
})();
