/**
 * The facts between the two `---` lines at the top of a post, and the text after them. A value is
 * plain text, a JSON string, or a list `[a, "b"]`.
 */
export function readFrontMatter(source) {
  const text = source.replace(/^\ufeff/, '').replaceAll('\r\n', '\n');
  const match = /^---\n([\s\S]*?)\n---(?:\n|$)/.exec(text);
  if (match === null) throw new Error('it must begin with front matter between two lines of ---');
  const facts = {};
  for (const line of match[1].split('\n')) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const fact = /^([a-zA-Z]+):\s*(.*)$/.exec(line);
    if (fact === null) throw new Error(`this line of the front matter is no "name: value": ${line}`);
    facts[fact[1]] = readValue(fact[2].trim());
  }
  return { facts, text: text.slice(match[0].length) };
}

function readValue(value) {
  if (value.startsWith('"')) return parseJson(value);
  if (!value.startsWith('[')) return value;
  if (!value.endsWith(']')) throw new Error(`this list is not closed: ${value}`);
  return splitList(value.slice(1, -1)).map((item) => (item.startsWith('"') ? parseJson(item) : item));
}

/** At commas, but not at those inside of quoted items. */
function splitList(text) {
  const items = [...text.matchAll(/\s*("(?:[^"\\]|\\.)*"|[^,]+)/g)];
  return items.map((item) => item[1].trim()).filter((item) => item !== '');
}

function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`this value is not well quoted: ${text}`);
  }
}
