// The address keeps what is shown and which cells are open, after `#/`; other fragments are sections of the page.
let written = "";

function fragment() {
  const changed = Object.entries(state).filter(([name, value]) => value !== START[name]);
  return changed.length ? `#/${changed.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}` : "";
}

// A step of its own in the history, but for letters of one search: going back then undoes the search.
function remember() {
  const now = fragment();
  if (now === written) return;
  const typing = /(^#\/|&)q=/.test(written) && /(^#\/|&)q=/.test(now) && withoutSearch(written) === withoutSearch(now);
  history[typing ? "replaceState" : "pushState"](null, "", now || location.pathname + location.search);
  written = now;
}

const withoutSearch = (address) => address.replace(/(^#\/|&)q=[^&]*/, "");

function readAddress() {
  const next = { ...START };
  for (const pair of location.hash.slice(2).split("&")) {
    const [name, value = ""] = pair.split("=");
    if (!Object.hasOwn(START, name)) continue;
    try {
      next[name] = decodeURIComponent(value);
    } catch {
      // A broken address shows what its sound parts say.
    }
  }
  for (const [name, id] of Object.entries(CONTROLS)) {
    const control = byId(id);
    if (!control) next[name] = START[name];
    else if (control.options && ![...control.options].some((option) => option.value === next[name])) next[name] = START[name];
  }
  return next;
}

function fillControls() {
  for (const [name, id] of Object.entries(CONTROLS)) if (byId(id)) byId(id).value = state[name];
}

function readControls() {
  for (const [name, id] of Object.entries(CONTROLS)) if (byId(id)) state[name] = byId(id).value;
}

// Open cells are kept as `row.cell` with spaces between, in the order in which they were opened.
const openCells = () => state.open.split(" ").filter((each) => /^\d+\.\d+$/.test(each)).map((each) => each.split(".").map(Number));

function setOpen(row, cell) {
  const others = openCells().filter(([each]) => each !== row);
  state.open = [...others, ...(cell === null ? [] : [[row, cell]])].map((pair) => pair.join(".")).join(" ");
}

async function openAsSaid() {
  const wanted = openCells().filter(([row, cell]) => row < rows.length && cell < CELLS);
  const kept = new Set(wanted.map(([row]) => row));
  rows.forEach((element, row) => {
    if (!kept.has(row)) closeRow(element);
  });
  await Promise.all(wanted.map(([row, cell]) => showCell(row, cell)));
}

async function followAddress() {
  if (location.hash && !location.hash.startsWith("#/")) return;
  state = readAddress();
  written = fragment();
  fillControls();
  filter();
  await openAsSaid();
}
