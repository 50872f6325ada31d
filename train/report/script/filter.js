// Which rows are shown, in which order. `state` is what the controls say and what the address keeps.
const START = {
  show: "all", split: "", topic: "", cause: "", q: "", sort: "order", a: String(head.compare[0]), b: String(head.compare[1]), open: "",
};
const CONTROLS = {
  show: "filter-show", split: "filter-split", topic: "filter-topic", cause: "filter-cause", q: "filter-text",
  sort: "sort", a: "sort-a", b: "sort-b",
};
let state = { ...START };

const asked = (row) => head.rows[row][5].filter((entry) => entry !== null);
const SHOWS = {
  all: () => true,
  wrong: (row) => asked(row).some(([right, scored]) => right < scored),
  different: (row) => head.rows[row][4] === 1,
  unscored: (row) => asked(row).some(([, , unscored]) => unscored > 0),
  disputed: (row) => asked(row).some(([, , , disputed]) => disputed > 0),
};

function keeps(row, words) {
  const [, , topic, split] = head.rows[row];
  return (state.split === "" || Number(state.split) === split)
    && (state.topic === "" || Number(state.topic) === topic)
    && (state.cause === "" || asked(row).some(([, , , , , causes]) => causes.includes(Number(state.cause))))
    && SHOWS[state.show](row)
    && contains(row, words);
}

const share = (entry) => (entry && entry[1] ? entry[0] / entry[1] : null);

function meanShare(row) {
  const shares = head.rows[row][5].map(share).filter((value) => value !== null);
  return shares.length ? shares.reduce((sum, value) => sum + value, 0) / shares.length : null;
}

function shareDifference(row) {
  const [one, other] = [share(head.rows[row][5][Number(state.a)]), share(head.rows[row][5][Number(state.b)])];
  return one === null || other === null ? null : one - other;
}

// Sorts by a key, largest first; rows without one (not graded, not asked) come last, equals stay as they were asked.
function sortedBy(list, key) {
  const keys = new Map(list.map((row) => [row, key(row) ?? -Infinity]));
  return [...list].sort((one, other) => (keys.get(one) === keys.get(other) ? one - other : keys.get(other) > keys.get(one) ? 1 : -1));
}

function inOrder(list) {
  if (state.sort === "worst") return sortedBy(list, (row) => { const value = meanShare(row); return value === null ? null : -value; });
  if (state.sort === "best") return sortedBy(list, meanShare);
  if (state.sort === "difference") return sortedBy(list, shareDifference);
  return [...list].sort((one, other) => one - other);
}

function place(group, order) {
  if (order.every((row, index) => group.rows[index] === row)) return;
  group.rows = order;
  const elements = order.flatMap((row) => [rows[row], panelOf(rows[row])].filter(Boolean));
  group.body.replaceChildren(...elements);
}

function setHidden(element, hidden) {
  if (element && element.hidden !== hidden) element.hidden = hidden;
}

let shownRows = [];

function filter() {
  const words = searchable(state.q).split(/\s+/).filter(Boolean);
  if (words.length && !answersRead()) readAnswers(filter);
  shownRows = [];
  for (const group of groups) {
    place(group, inOrder(group.rows));
    let kept = 0;
    for (const row of group.rows) {
      const keep = keeps(row, words);
      setHidden(rows[row], !keep);
      setHidden(panelOf(rows[row]), !keep);
      if (keep) {
        kept += 1;
        shownRows.push(row);
      }
    }
    setHidden(group.element, !kept);
    settleTab(group);
  }
  const waiting = unreadable ? `; answers not searched. ${unreadable}` : "; still reading the answers";
  const more = words.length && !answersRead() ? waiting : "";
  byId("filter-count").textContent = `${shownRows.length} of ${rows.length} questions${more}`;
  setHidden(byId("sort-cells"), state.sort !== "difference");
}
