/** What visitors got of one release. */
export interface AnswerCounts {
  readonly answers: number;
  /** 5xx, or no answer at all. */
  readonly failures: number;
}

/** Fewer may be one visitor who presses reload. */
export const MIN_FAILURES = 5;
/** Less than this is a fault to repair, not one to lose a release for. */
export const MIN_POINTS_ABOVE = 0.05;
/**
 * How likely chance alone may make a release look so much worse than the one before. It is looked at
 * up to 300 times in its first half minute, each a chance of its own to err.
 */
export const CHANCE = 1e-4;
/** What a former release is credited with at least: its smoke test and its checks were answered well. */
export const FORMER_CREDIT = 20;

/**
 * Whether visitors fail more often at the new release than at the former one, beyond chance: Fisher's
 * exact test, one-sided. Unlike a binomial test against the former share it takes the former counts as
 * a sample too, which matters on a young box, where both are a handful.
 */
export function isWorse(fresh: AnswerCounts, former: AnswerCounts): boolean {
  if (fresh.failures < MIN_FAILURES) return false;
  const credit = Math.max(0, FORMER_CREDIT - former.answers);
  const before = { answers: former.answers + credit, failures: former.failures };
  if (shareOf(fresh) < shareOf(before) + MIN_POINTS_ABOVE) return false;
  return chanceOf(fresh, before) < CHANCE;
}

export function countsOf(statuses: Readonly<Record<string, number>>): AnswerCounts {
  let answers = 0;
  for (const count of Object.values(statuses)) answers += count;
  return { answers, failures: (statuses['5xx'] ?? 0) + (statuses.error ?? 0) };
}

export function shareOf({ answers, failures }: AnswerCounts): number {
  return answers === 0 ? 0 : failures / answers;
}

/** The probability of so many or more of all failures falling on the new one, were both alike. */
function chanceOf(fresh: AnswerCounts, former: AnswerCounts): number {
  const failures = fresh.failures + former.failures;
  const answers = fresh.answers + former.answers;
  const most = Math.min(failures, fresh.answers);
  const all = logChoose(answers, failures);
  let chance = 0;
  for (let k = fresh.failures; k <= most; k++) {
    const term = Math.exp(logChoose(fresh.answers, k) + logChoose(former.answers, failures - k) - all);
    chance += term;
    // The terms only fall from here on; what is left is less than what was added last, many times over.
    if (term < chance * 1e-12 || chance >= CHANCE) break;
  }
  return chance;
}

function logChoose(n: number, k: number): number {
  if (k < 0 || k > n) return Number.NEGATIVE_INFINITY;
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** Stirling's series: good to ten digits from 10 on, and exact products below. */
function logFactorial(n: number): number {
  if (n < 10) {
    let product = 1;
    for (let factor = 2; factor <= n; factor++) product *= factor;
    return Math.log(product);
  }
  const x = n + 1;
  return (
    (x - 0.5) * Math.log(x) -
    x +
    0.5 * Math.log(2 * Math.PI) +
    1 / (12 * x) -
    1 / (360 * x ** 3) +
    1 / (1260 * x ** 5)
  );
}
