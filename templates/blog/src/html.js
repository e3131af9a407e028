const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text that is safe between tags and in quoted attributes, of HTML and of XML. */
export function escapeHtml(text) {
  return String(text)
    .replace(/[^\P{Cc}\t\n\r]|[\ufffe\uffff]/gu, '')
    .replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

class SafeHtml {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/** Marks text as HTML that is safe already. */
export function raw(text) {
  return new SafeHtml(text);
}

/** A template that escapes every value but what is safe already; lists are joined, null and false are nothing. */
export function html(strings, ...values) {
  let text = strings[0];
  for (const [index, value] of values.entries()) text += render(value) + strings[index + 1];
  return new SafeHtml(text);
}

function render(value) {
  if (value instanceof SafeHtml) return value.text;
  if (Array.isArray(value)) return value.map(render).join('');
  return value === null || value === undefined || value === false ? '' : escapeHtml(value);
}
