// The matrix by keyboard: one stop for Tab in each table, arrow keys from cell to cell, Escape closes.
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 };

const buttonsOf = (element) => [...element.querySelectorAll("button[data-cell]")];
const rowOf = (element) => element.closest("tr[data-row]");

function settleTab(group) {
  const now = group.current;
  if (now && now.isConnected && !rowOf(now).hidden) return;
  if (now) now.tabIndex = -1;
  const first = group.rows.map((row) => rows[row]).find((element) => !element.hidden && element.querySelector("button[data-cell]"));
  group.current = first ? first.querySelector("button[data-cell]") : null;
  if (group.current) group.current.tabIndex = 0;
}

// Rows of a large matrix are boxes of their own, so that those out of sight cost nothing; without being told, browsers
// would then forget that they are a table.
const ROLES = [
  ["thead, tbody", "rowgroup"], ["tr", "row"], ["th[scope=col], th[scope=colgroup]", "columnheader"], ["th[scope=row]", "rowheader"],
  ["td", "gridcell"],
];

function makeGrid(group) {
  group.table.setAttribute("role", "grid");
  for (const [selector, role] of ROLES) {
    for (const element of group.table.querySelectorAll(selector)) element.setAttribute("role", role);
  }
  for (const button of group.body.querySelectorAll("button[data-cell]")) button.tabIndex = -1;
}

function setCurrent(button) {
  const group = groups.find(({ table }) => table.contains(button));
  if (group.current) group.current.tabIndex = -1;
  group.current = button;
  button.tabIndex = 0;
}

// The button of the same cell some visible rows further on, or as far as there are any.
function vertically(button, steps) {
  const onward = steps > 0 ? "nextElementSibling" : "previousElementSibling";
  let [reached, left] = [null, Math.abs(steps)];
  for (let element = rowOf(button)[onward]; element && left; element = element[onward]) {
    const there = element.hidden ? null : element.querySelector(`:scope > td > button[data-cell="${button.dataset.cell}"]`);
    if (there) [reached, left] = [there, left - 1];
  }
  return reached;
}

function target(button, key, far) {
  if (key in STEPS) return vertically(button, STEPS[key]);
  const row = buttonsOf(rowOf(button));
  const here = row.indexOf(button);
  if (key === "ArrowRight") return row[here + 1];
  if (key === "ArrowLeft") return row[here - 1];
  const edge = key === "Home" ? row[0] : key === "End" ? row[row.length - 1] : null;
  return edge && far ? vertically(edge, key === "Home" ? -Infinity : Infinity) ?? edge : edge;
}

function onKey(event) {
  if (event.key === "Escape") {
    const element = event.target.closest(".panel, tr[data-row]");
    const row = element?.classList.contains("panel") ? element.previousElementSibling : element;
    const button = row && openCell(row);
    if (!button) return;
    closeRow(row);
    setOpen(Number(row.dataset.row), null);
    remember();
    button.focus();
    return;
  }
  const button = event.target.closest("button[data-cell]");
  if (!button || event.altKey || event.metaKey || event.shiftKey) return;
  const next = target(button, event.key, event.ctrlKey);
  if (!next) return;
  event.preventDefault();
  setCurrent(next);
  next.focus();
}
