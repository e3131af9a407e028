import { addUp, type CountsParser, tallyWords } from './counts.ts';

/** `=== 1 failed, 2 passed in 0.12s ===`, or bare with `-q`; past a minute with `(0:01:02)`. */
const SUMMARY =
  /^(?:=+ )?(no tests ran|\d+ [a-z]+(?:, \d+ [a-z]+)*) in \d+(?:\.\d+)?s(?: \([\d:]+\))?(?: =+)?$/gm;

export const parsePytestCounts: CountsParser = (output) =>
  addUp(
    'pytest',
    [...output.matchAll(SUMMARY)].map(([, text]) => tallyWords(text as string)),
  );
