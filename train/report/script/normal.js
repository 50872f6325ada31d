// The graders' normal form of a text (train/grading/normalise.py), with the place of every character in the original:
// compatibility forms and case folded, without whitespace, emoji and what shows nothing. Markup stays, but for bold
// marks and code marks; where that hides a fact, nothing is highlighted, which is better than a wrong place.
const IGNORABLE = /[\u00ad\u034f\u061c\u180e\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\u{e0000}-\u{e0fff}]/u;
const PICTURE = /[\u0000-\u0008\u000e-\u001b\u007f-\u0084\u0086-\u009f\u200b\u20e3\u2300-\u2307\u230c-\u23ff\u2600-\u27bf\u2b00-\u2bff\u{1f000}-\u{1f0ff}\u{1f1e6}-\u{1f1ff}\u{1f300}-\u{1faff}]/u;
const ENCLOSED = /[\u2460-\u24ff\u3200-\u32ff\u{1f100}-\u{1f1e5}]/u;
const LATIN_OR_DIGIT = /[\p{Nd}a-z\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]/iu;
const THOUSANDS = /(?<![0-9])(?<![0-9][.,])[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9])(?!,[0-9])/g;
const SAME = new Map([
  ...[..."‘’‚‛′ʼ"].map((sign) => [sign, "'"]), ...[..."“”„‟«»"].map((sign) => [sign, '"']),
  ...[..."‐‑‒–—―−﹘"].map((sign) => [sign, "-"]), ...[..."〜∼"].map((sign) => [sign, "~"]),
  ...[..."・‧∙⋅"].map((sign) => [sign, "·"]), ["⁄", "/"], ["ß", "ss"], ["ς", "σ"],
]);
const BEFORE = new Map([["ㆍ", "·"], ["´", "'"]]);
const LONGEST_NORMAL = 200000;

// What a reader sees as one sign, with its place.
function signs(text) {
  if (typeof Intl !== "undefined" && Intl.Segmenter) {
    return Array.from(new Intl.Segmenter("und", { granularity: "grapheme" }).segment(text), ({ segment, index }) => [segment, index]);
  }
  let place = 0;
  return Array.from(text, (sign) => [sign, (place += sign.length) - sign.length]);
}

// `text` without whitespace; `from[i]` and `to[i]` say where its i-th character stands in the original, `first[i]`
// whether it begins a sign there; `breaks` are the places before which whitespace or an emoji stood.
function normal(original) {
  const units = []; // [character, from, to, begins a sign]; a gap is [" "]
  for (const [sign, from] of signs(original)) {
    const to = from + sign.length;
    if (/^\s+$/u.test(sign)) {
      units.push([" "]);
      continue;
    }
    const apart = ENCLOSED.test(sign);
    if (apart) units.push([" "]);
    let begins = true;
    const folded = (BEFORE.get(sign) ?? sign).normalize("NFKC").toLowerCase().normalize("NFKC");
    for (const character of folded) {
      if (IGNORABLE.test(character)) continue;
      if (/\s/u.test(character) || PICTURE.test(character)) {
        units.push([" "]);
        continue;
      }
      for (const each of SAME.get(character) ?? character) {
        units.push([each, from, to, begins]);
        begins = false;
      }
    }
    if (apart) units.push([" "]);
  }
  return ungrouped(withoutMarks(units));
}

// Bold marks and code marks go, as the graders take them away; `x**2` is a power and stays.
function withoutMarks(units) {
  const value = (unit) => unit !== undefined && LATIN_OR_DIGIT.test(unit[0]);
  const kept = [];
  for (let place = 0; place < units.length;) {
    let end = place + 1;
    if (units[place][0] === "*") {
      while (units[end]?.[0] === "*") end += 1;
      const bold = end - place === 2 && !(value(units[place - 1]) && value(units[end]));
      for (let star = place; !bold && star < end; star += 1) kept.push(units[star]);
    } else if (units[place][0] !== "`") {
      kept.push(units[place]);
    }
    place = end;
  }
  return kept;
}

function ungrouped(units) {
  const spaced = units.map(([character]) => (character.length === 1 ? character : "\ufffd")).join("");
  const commas = new Set();
  for (const match of spaced.matchAll(THOUSANDS)) {
    for (let place = match.index; place < match.index + match[0].length; place += 1) {
      if (spaced[place] === ",") commas.add(place);
    }
  }
  const result = { characters: [], from: [], to: [], first: [], breaks: new Set() };
  units.forEach(([character, from, to, begins], place) => {
    if (commas.has(place)) return;
    if (character === " ") {
      result.breaks.add(result.characters.length);
      return;
    }
    result.characters.push(character);
    result.from.push(from);
    result.to.push(to);
    result.first.push(begins);
  });
  return result;
}
