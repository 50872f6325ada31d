// A word diff: by words, and by signs within a single word of a script without small and capital letters (a Korean
// particle). Where words change one after another, the blanks between them change with them.
const MOST_COMPARED = 4e6; // entries of the table that a comparison may fill
const LIKENESS = 0.4; // a word is compared sign by sign with one that shares as much of it

const wordsOf = (text) => text.match(/\s+|[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu) ?? [];

// What two lists have in common and what not, as [kind, items] with kind "same", "less" (only in the first) or "more"
// (only in the second), less before more; null where they are too long to be compared.
function difference(one, other) {
  let begin = 0;
  let end = 0;
  const shorter = Math.min(one.length, other.length);
  while (begin < shorter && one[begin] === other[begin]) begin += 1;
  while (end < shorter - begin && one[one.length - 1 - end] === other[other.length - 1 - end]) end += 1;
  const left = one.slice(begin, one.length - end);
  const right = other.slice(begin, other.length - end);
  const wide = right.length + 1;
  if ((left.length + 1) * wide > MOST_COMPARED) return null;
  // longest[i * wide + j]: the length of the longest common subsequence of left from i and right from j.
  const longest = new Uint32Array((left.length + 1) * wide);
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      longest[i * wide + j] = left[i] === right[j]
        ? longest[(i + 1) * wide + j + 1] + 1
        : Math.max(longest[(i + 1) * wide + j], longest[i * wide + j + 1]);
    }
  }
  const parts = [["same", one.slice(0, begin)]];
  let [less, more, i, j] = [[], [], 0, 0];
  const settle = () => {
    parts.push(["less", less], ["more", more]);
    [less, more] = [[], []];
  };
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      settle();
      parts.push(["same", [left[i]]]);
      i += 1;
      j += 1;
    } else if (j >= right.length || (i < left.length && longest[(i + 1) * wide + j] >= longest[i * wide + j + 1])) {
      less.push(left[i]);
      i += 1;
    } else {
      more.push(right[j]);
      j += 1;
    }
  }
  settle();
  parts.push(["same", one.slice(one.length - end)]);
  return parts.filter(([, items]) => items.length);
}

// The differences of two texts as [kind, text], in the order in which they are read; null where they are too long.
function textDifference(one, other) {
  const found = difference(wordsOf(one), wordsOf(other));
  if (found === null) return null;
  const parts = runs(found);
  const result = [];
  parts.forEach(([kind, items], place) => {
    const next = parts[place + 1];
    const before = parts[place - 1];
    if (kind === "less" && items.length === 1 && next?.[0] === "more" && next[1].length === 1) {
      result.push(...(within(items[0], next[1][0]) ?? [[kind, items[0]], ["more", next[1][0]]]));
    } else if (!(kind === "more" && items.length === 1 && before?.[0] === "less" && before[1].length === 1)) {
      result.push([kind, items.join("")]);
    }
  });
  return joined(result);
}

// The parts with each run of changed words as one: less, then more, with the blanks in between on both sides. Words of
// a script that is compared by signs stay apart.
function runs(parts) {
  const result = [];
  const changed = (place) => parts[place]?.[0] === "less" && parts[place + 1]?.[0] === "more";
  const plain = (place) => ![...parts[place][1], ...parts[place + 1][1]].some((item) => /\p{Lo}/u.test(item));
  for (let place = 0; place < parts.length; place += 1) {
    if (!changed(place) || !plain(place)) {
      result.push(parts[place]);
      continue;
    }
    const [less, more] = [[...parts[place][1]], [...parts[place + 1][1]]];
    place += 1;
    while (parts[place + 1]?.[0] === "same" && /^\s+$/.test(parts[place + 1][1].join("")) && changed(place + 2) && plain(place + 2)) {
      less.push(...parts[place + 1][1], ...parts[place + 2][1]);
      more.push(...parts[place + 1][1], ...parts[place + 3][1]);
      place += 3;
    }
    result.push(["less", less], ["more", more]);
  }
  return result;
}

function within(one, other) {
  if (!/\p{Lo}/u.test(one) || !/\p{Lo}/u.test(other)) return null;
  const parts = difference(signs(one).map(([sign]) => sign), signs(other).map(([sign]) => sign));
  if (parts === null) return null;
  const alike = parts.filter(([kind]) => kind === "same").reduce((sum, [, items]) => sum + items.join("").length, 0);
  return 2 * alike >= LIKENESS * (one.length + other.length) ? parts.map(([kind, items]) => [kind, items.join("")]) : null;
}

function joined(parts) {
  const result = [];
  for (const [kind, text] of parts) {
    const last = result[result.length - 1];
    if (last?.[0] === kind) last[1] += text;
    else result.push([kind, text]);
  }
  return result;
}

// The differences as nodes: <del> is only in `one`, <ins> only in `other`.
function compared(one, other) {
  const parts = textDifference(one, other);
  if (parts === null) return null;
  const tags = { less: "del", more: "ins" };
  return parts.map(([kind, text]) => (kind === "same" ? text : make(tags[kind], {}, text)));
}
