// Puts the parts together: rows first, then the controls, then what the address asks for.
let typing = 0;

function onInput(event) {
  readControls();
  filter();
  clearTimeout(typing);
  if (event.target.id === "filter-text") typing = setTimeout(remember, 300);
  else remember();
}

function onClick(event) {
  const button = event.target.closest("button");
  if (button?.dataset.cell) {
    const row = Number(rowOf(button).dataset.row);
    const wasOpen = button.getAttribute("aria-expanded") === "true";
    setCurrent(button);
    setOpen(row, wasOpen ? null : Number(button.dataset.cell));
    if (wasOpen) closeRow(rows[row]);
    else showCell(row, Number(button.dataset.cell));
    remember();
  } else if (button?.dataset.download) {
    download(button.dataset.download).catch((error) => { byId("filter-count").textContent = error.message; });
  } else if (button?.id === "reset") {
    state = { ...START, open: state.open };
    fillControls();
    filter();
    remember();
  }
}

async function start() {
  document.documentElement.classList.add("scripted");
  // A large matrix is made after the first paint.
  if (!document.querySelector("tr[data-row]")) await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  await makeRows();
  groups.forEach(makeGrid);
  for (const id of ["filters", "downloads"]) byId(id).hidden = false;
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("input", onInput);
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  window.addEventListener("hashchange", followAddress);
  filter();
  await followAddress();
  const [first] = openCells();
  if (first && rows[first[0]]) rows[first[0]].scrollIntoView({ block: "start", behavior: "instant" });
  document.documentElement.dataset.ready = "";
}
start();
