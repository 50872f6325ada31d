// The questions shown, as files made here from the page's own data.
const ANSWER_COLUMNS = [
  "arm", "seed", "condition", "split", "question", "sample", "expects", "answer", "graded", "right", "grader", "why", "cause",
  "finish", "prompt_tokens", "tokens", "seconds",
];

async function answerRecords() {
  const records = [];
  for (const row of shownRows) {
    const data = await rowData(row);
    data.answers.forEach((folds, cell) => {
      const [arm, condition, place] = head.cells[cell];
      const expects = data.contexts[place]?.expects ?? "answer";
      for (const answer of folds) {
        const right = answer.verdict === "unscored" ? null : answer.verdict === (expects === "abstain" ? "abstained" : "correct");
        for (const [seed, sample, promptTokens, tokens, time] of answer.samples) {
          records.push({
            arm, seed, condition, split: head.splits[head.rows[row][3]], question: data.id, sample, expects, answer: answer.words,
            graded: answer.verdict, right, grader: answer.grader, why: answer.why, cause: answer.cause, finish: answer.finish,
            prompt_tokens: promptTokens, tokens, seconds: time,
          });
        }
      }
    });
  }
  return records;
}

function matrixRecords() {
  return shownRows.map((row) => {
    const [id, question, topic, split, , entries] = head.rows[row];
    const record = { split: head.splits[split], question: id, text: question, topic: head.topics[topic] };
    entries.forEach((entry, cell) => {
      record[`${cellName(cell)}: right`] = entry === null ? null : entry[0];
      record[`${cellName(cell)}: graded`] = entry === null ? null : entry[1];
    });
    return record;
  });
}

// As train/report/sheets.py writes it: a spreadsheet would run what begins like a formula, so an apostrophe goes before.
function csvValue(value) {
  if (value === null || value === undefined) return "";
  let text = String(value);
  if (typeof value === "string" && /^'*[=+\-@\t\r\n＝＋－＠]/.test(text)) text = `'${text}`;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function csv(columns, records) {
  const lines = [columns, ...records.map((record) => columns.map((column) => record[column]))];
  return `\ufeff${lines.map((values) => `${values.map(csvValue).join(",")}\r\n`).join("")}`;
}

const FILES = {
  "answers.csv": async () => csv(ANSWER_COLUMNS, await answerRecords()),
  "answers.json": async () => `${JSON.stringify(await answerRecords(), null, 1)}\n`,
  "matrix.csv": async () => {
    const cells = head.cells.flatMap((_, cell) => [`${cellName(cell)}: right`, `${cellName(cell)}: graded`]);
    return csv(["split", "question", "text", "topic", ...cells], matrixRecords());
  },
};

async function download(name) {
  const type = name.endsWith(".json") ? "application/json" : "text/csv";
  const address = URL.createObjectURL(new Blob([await FILES[name]()], { type: `${type};charset=utf-8` }));
  const link = make("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}
