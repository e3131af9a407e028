import { addUp, type CountsParser, tallyWords } from './counts.ts';

const SUMMARY = /^Test Suites: .* total\nTests: +(.*)$/gm;
const NOTHING = /^No tests found, exiting with code \d+$/gm;

export const parseJestCounts: CountsParser = (output) =>
  addUp('jest', [
    ...[...output.matchAll(SUMMARY)].map(([, text]) => tallyWords(text as string)),
    ...[...output.matchAll(NOTHING)].map(() => tallyWords('')),
  ]);
