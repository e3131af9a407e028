/**
 * `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}` of a Dockerfile, as far as they can be told;
 * null where they cannot.
 */
export function fillVariables(text: string, known: ReadonlyMap<string, string>): string | null {
  if (!/[$\\]/.test(text)) return text;
  let isKnown = !text.includes('\\');
  const filled = text.replaceAll(
    /\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?([-+])([^{}$]*))?\})/g,
    (_, plain: string | undefined, braced: string | undefined, operator?: string, word?: string) => {
      const value = known.get(plain ?? braced ?? '') || undefined;
      if (operator === '-') return value ?? word ?? '';
      if (operator === '+') return value === undefined ? '' : (word ?? '');
      if (value === undefined) isKnown = false;
      return value ?? '';
    },
  );
  return isKnown && !filled.includes('$') ? filled : null;
}
