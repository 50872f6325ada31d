// The blocks of answers, contexts and prompts: read when they are first needed, for a large run's take a while.
const blocks = new Map();

function blockOf(row) {
  const number = Math.floor(row / head.rowsPerBlock);
  if (!blocks.has(number)) blocks.set(number, readBlock(byId(`block-${number}`)));
  return blocks.get(number);
}

async function readBlock(element) {
  const packed = element.type !== "application/json";
  return JSON.parse(packed ? await unpacked(element.textContent) : element.textContent);
}

async function unpacked(encoded) {
  if (typeof DecompressionStream === "undefined") {
    throw new Error("This browser cannot unpack the answers; answers.csv beside this file lists them.");
  }
  const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).text();
}

// One row of the matrix with its texts in place: what payload.py's `blocks` describes.
async function rowData(row) {
  const held = await blockOf(row);
  const place = row % head.rowsPerBlock;
  const text = (number) => held.texts[number];
  const facts = (list) => list.map((alternatives) => alternatives.map(text));
  const [reference, must, mustNot] = held.references[place];
  return {
    id: head.rows[row][0],
    question: head.rows[row][1],
    reference: text(reference),
    facts: facts(must),
    forbidden: facts(mustNot),
    answers: held.answers[place].map((folds) => folds.map((one) => answerData(one, text))),
    contexts: held.contexts[place].map((context) => context && {
      expects: text(context[0]),
      facts: facts(context[1]),
      forbidden: facts(context[2]),
      passages: context[3].map(([id, source, words, gold]) => ({ id: text(id), source: text(source), words: text(words), gold })),
    }),
    prompts: held.prompts[place].map((prompt) => (prompt === null ? null : text(prompt))),
  };
}

function answerData(one, text) {
  const [words, verdict, grader, why, finish, cause, disputed, found, missing, violated, others, samples] = one;
  return {
    words: text(words), verdict: text(verdict), grader: text(grader), why: text(why), finish: text(finish), cause: text(cause),
    disputed, found: found.map(text), missing: missing.map(text), violated: violated.map(text),
    others: others.map((other) => other.map(text)), samples,
  };
}
