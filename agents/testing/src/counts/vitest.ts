import { addUp, type CountsParser, tallyWords } from './counts.ts';

const SUMMARY = /^ *Test Files {2}.*\n *Tests {2}(.*)$/gm;
const NOTHING = /^No test files found, exiting with code \d+$/gm;

export const parseVitestCounts: CountsParser = (output) =>
  addUp('vitest', [
    ...[...output.matchAll(SUMMARY)].map(([, text]) => tallyWords(text as string)),
    ...[...output.matchAll(NOTHING)].map(() => tallyWords('')),
  ]);
