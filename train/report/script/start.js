// What every part uses: the matrix's data, and ways to make elements. All text goes in through textContent or
// append, so nothing from an answer can act. The form of the data is that of payload.py.
const byId = (id) => document.getElementById(id);
const head = JSON.parse(byId("head").textContent);
const CELLS = head.cells.length;

function make(tag, options = {}, ...children) {
  const element = document.createElement(tag);
  const { className, data, ...attributes } = options;
  if (className) element.className = className;
  // A text of the data has a direction and a language of its own.
  if (data) {
    element.dir = "auto";
    if (head.lang) element.lang = head.lang;
  }
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

const bdi = (words) => make("bdi", {}, words);
const note = (...children) => make("span", { className: "note" }, ...children);
const block = (className, ...children) => make("div", { className: `text-block ${className}`, data: true }, ...children);
const fold = (title, ...children) => make("details", {}, make("summary", {}, title), ...children);
const line = (label, ...children) => make("div", {}, make("strong", {}, `${label}: `), ...children);

// The form in which words are searched: compatibility forms and case do not matter.
const searchable = (text) => text.normalize("NFKC").toLowerCase();

// Lets the page answer to its reader between two pieces of work.
const pause = () => new Promise((resolve) => setTimeout(resolve));

const cellName = (cell) => `${head.cells[cell][0]} / ${head.cells[cell][1]}`;
