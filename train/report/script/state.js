// The address keeps what is shown and which cells are open, after `#/`; other fragments are sections of the page.
let written = "";

// In the address questions, cells, splits, topics and causes go by keys of their names, not by their places: a link that was
// passed on must not show something else where questions or arms were added since. The hash is FNV-1a with 32 bits.
function keyOf(name) {
  let hash = 0x811c9dc5;
  for (let place = 0; place < name.length; place += 1) hash = Math.imul(hash ^ name.charCodeAt(place), 0x01000193);
  return `k${(hash >>> 0).toString(36)}`;
}

const cellKeys = head.cells.map(([arm, condition]) => keyOf(`${arm}\n${condition}`));
const KEYED = {
  split: head.splits.map(keyOf), topic: head.topics.map(keyOf), cause: head.causes.map(keyOf), a: cellKeys, b: cellKeys,
};
const rowKeys = head.rows.map(([id]) => keyOf(id));

// A place in the list as its key, and back; what is no place, or no key, stays as it is.
const toKey = (keys, place) => keys[place] ?? place;
const fromKey = (keys, key) => (keys.includes(key) ? String(keys.indexOf(key)) : key);

function translated(name, value, change) {
  if (name === "open") {
    return value.split(" ").map((pair) => pair.split(".").map((each, at) => change(at ? cellKeys : rowKeys, each)).join(".")).join(" ");
  }
  return KEYED[name] && value !== "" ? change(KEYED[name], value) : value;
}

function fragment() {
  const changed = Object.entries(state).filter(([name, value]) => value !== START[name]);
  const said = changed.map(([name, value]) => `${name}=${encodeURIComponent(translated(name, value, toKey))}`);
  return said.length ? `#/${said.join("&")}` : "";
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
      next[name] = translated(name, decodeURIComponent(value), fromKey);
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
