// The matrix's rows as elements. A page of moderate size has them in its markup; those of a larger one are made here.
const groups = [...document.querySelectorAll("details[data-group]")].map((element) => ({
  element,
  body: element.querySelector("tbody"),
  table: element.querySelector("table"),
  rows: [],
}));
const rows = new Array(head.rows.length).fill(null); // row number -> its <tr>

const ROWS_AT_A_TIME = 250;
const SIGN = { right: "✅", some: "⚠", none: "❌", ungraded: "❔", notAsked: "·", disputed: "⚑" };

async function makeRows() {
  const given = document.querySelectorAll("tr[data-row]");
  for (const element of given) rows[Number(element.dataset.row)] = element;
  if (!given.length) for (const { table } of groups) makeLarge(table);
  for (let row = 0; row < rows.length; row += 1) {
    const group = groups[head.rows[row][3]];
    if (rows[row] === null) {
      rows[row] = rowNode(row);
      group.body.append(rows[row]);
      if (row % ROWS_AT_A_TIME === ROWS_AT_A_TIME - 1) await pause();
    }
    group.rows.push(row);
  }
}

function makeLarge(table) {
  table.classList.add("large");
  for (const element of table.querySelectorAll("th[colspan]")) element.style.gridColumn = `span ${element.colSpan}`;
}

function rowNode(row) {
  const [id, text, topic, , , entries] = head.rows[row];
  const topicName = head.topics[topic];
  return make(
    "tr", { "data-row": row },
    make(
      "th", { scope: "row" },
      make("span", { className: "id" }, bdi(id)), topicName ? " " : "",
      topicName ? make("span", { className: "topic" }, bdi(topicName)) : null,
      make("span", { className: "text", data: true }, text),
    ),
    ...entries.map((entry, cell) => make("td", { className: beginsArm(cell) ? "next-arm" : "" }, entryNode(entry, cell))),
  );
}

const beginsArm = (cell) => cell > 0 && head.cells[cell][0] !== head.cells[cell - 1][0];

function entryNode(entry, cell) {
  if (entry === null) return make("span", { className: "mark" }, SIGN.notAsked);
  const [right, scored, unscored, disputed, abstain] = entry;
  const sign = !scored ? SIGN.ungraded : right === scored ? SIGN.right : right ? SIGN.some : SIGN.none;
  const words = [
    `${head.cells[cell][0]}, ${head.cells[cell][1]}: ${right} of ${scored} right`, abstain ? " (abstaining is right)" : "",
    unscored ? `, ${unscored} unscored` : "", disputed ? `, ${disputed} disputed` : "",
  ].join("");
  const shown = [
    make("span", { className: "mark" }, `${sign}\u00a0${right}/${scored}`), unscored ? ` +${unscored}?` : "", disputed ? ` ${SIGN.disputed}` : "",
  ];
  return make("button", { type: "button", "data-cell": cell, "aria-expanded": "false", "aria-label": words }, ...shown);
}

const panelOf = (element) => (element.nextElementSibling?.classList.contains("panel") ? element.nextElementSibling : null);
const buttonOf = (row, cell) => rows[row].querySelector(`button[data-cell="${cell}"]`);
const openCell = (element) => element.querySelector("button[aria-expanded=true]");

function closeRow(element) {
  panelOf(element)?.remove();
  openCell(element)?.setAttribute("aria-expanded", "false");
}

// Opens one cell of a row in place of the row's open one. The panel is there at once, its content when it is read.
async function showCell(row, cell) {
  const element = rows[row];
  const button = buttonOf(row, cell);
  if (!button || button.getAttribute("aria-expanded") === "true") return;
  closeRow(element);
  const inside = make("td", { colspan: CELLS + 1, role: "gridcell" }, make("div", { className: "inside" }, "Reading…"));
  element.after(make("tr", { className: "panel", role: "row" }, inside));
  button.setAttribute("aria-expanded", "true");
  try {
    inside.replaceChildren(panel(await rowData(row), cell));
  } catch (problem) {
    inside.replaceChildren(make("div", { className: "inside" }, problem.message));
  }
}
