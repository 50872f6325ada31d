// Marks in an answer what its grader found there.

// Whether a Latin word or a number goes on across this place of a normal text, as train/grading/normalise.py has it.
function goesOn({ characters, breaks }, place) {
  if (breaks.has(place) || place <= 0 || place >= characters.length) return false;
  const digit = (at) => /\p{Nd}/u.test(characters[at] ?? "");
  const [before, after] = [characters[place - 1], characters[place]];
  if (LATIN_OR_DIGIT.test(before) && LATIN_OR_DIGIT.test(after)) return true;
  if (after === "." && digit(place - 1)) return digit(place + 1) && !breaks.has(place + 1);
  if (before === "." && digit(place) && place > 1) return digit(place - 2) && !breaks.has(place - 1);
  return false;
}

// The places [start, end) in the original at which the fact stands. `whole`: it may not begin or end inside a Latin
// word or a number; otherwise (a regex matched it, with conditions not known here) it counts only where it is unique.
function occurrences(text, fact, whole) {
  const wanted = normal(fact).characters;
  if (!wanted.length) return [];
  const found = [];
  const { characters, first, from, to } = text;
  for (let start = 0; start + wanted.length <= characters.length && found.length < 200; start += 1) {
    if (characters[start] !== wanted[0] || !wanted.every((character, place) => characters[start + place] === character)) continue;
    const end = start + wanted.length;
    const splits = !first[start] || (end < characters.length && !first[end]);
    if (splits || (whole && (goesOn(text, start) || goesOn(text, end)))) continue;
    found.push([from[start], to[end - 1]]);
  }
  return whole || found.length === 1 ? found : [];
}

// The answer as nodes, with <mark> around found facts and forbidden statements; of two that overlap, the first.
function highlighted(answer, rubric) {
  if (answer.words.length > LONGEST_NORMAL || (!answer.found.length && !answer.violated.length)) return [answer.words];
  const text = normal(answer.words);
  const plain = new Set([...rubric.facts, ...rubric.forbidden].flat());
  const places = [
    ...answer.violated.flatMap((fact) => occurrences(text, fact, plain.has(fact)).map((place) => [...place, "violated"])),
    ...answer.found.flatMap((fact) => occurrences(text, fact, plain.has(fact)).map((place) => [...place, "found"])),
  ].sort((one, other) => one[0] - other[0] || other[1] - one[1]);
  const nodes = [];
  let done = 0;
  for (const [start, end, kind] of places) {
    if (start < done) continue;
    nodes.push(answer.words.slice(done, start));
    const title = kind === "found" ? "a fact that was found" : "a forbidden statement";
    nodes.push(make("mark", { className: kind, title }, answer.words.slice(start, end)));
    done = end;
  }
  return [...nodes, answer.words.slice(done)];
}
