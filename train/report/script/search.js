// What a row can be found by: its id, question, topic and causes at once; its reference, answers and what was said of them,
// graders' reasons and people's comments, when they have been read.
const heads = head.rows.map(([id, text, topic, , , entries]) => {
  const causes = new Set(entries.flatMap((entry) => (entry === null ? [] : entry[5])));
  return searchable([id, text, head.topics[topic], ...[...causes].map((cause) => head.causes[cause])].join("\n"));
});
const bodies = new Array(head.rows.length).fill(null);
let reading = null;
let unreadable = ""; // why they cannot be

// Reads all answers, once; says how far it is, so that a search need not wait for the end.
function readAnswers(progress) {
  reading ??= (async () => {
    for (let row = 0; row < bodies.length; row += 1) {
      bodies[row] = searchable(answersText(await blockOf(row), row % head.rowsPerBlock));
      if (row % head.rowsPerBlock === head.rowsPerBlock - 1) {
        progress();
        await pause();
      }
    }
    progress();
  })().catch((error) => {
    unreadable = error.message;
    progress();
  });
  return reading;
}

function answersText(held, place) {
  const different = new Set([held.references[place][0]]);
  for (const [words, , , why, , , , , , , others] of held.answers[place].flat()) {
    different.add(words).add(why);
    for (const [, , reason] of others) different.add(reason);
  }
  return [...different].map((number) => held.texts[number]).join("\n");
}

const answersRead = () => bodies[bodies.length - 1] !== null || !bodies.length;

const contains = (row, words) => words.every((word) => heads[row].includes(word) || (bodies[row] !== null && bodies[row].includes(word)));
