import fc from 'fast-check';

/*
 * Property tests draw the same cases in every run, so that a change is judged by what it changed.
 * `npm test -- --seed=random` looks for new ones; a failure prints the seed that shows it again.
 */
const seed = process.env.DBOX_TEST_SEED;
if (seed !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed ?? 1) });
