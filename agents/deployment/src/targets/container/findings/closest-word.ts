/** No word of ours is near to a longer one, and the distance takes time squared. */
const MAX_LENGTH = 40;

/** The word that was most likely meant, at up to two slips of the pen; null where none is near. */
export function closestWord(written: string, words: Iterable<string>): string | null {
  if (written.length > MAX_LENGTH) return null;
  const folded = fold(written);
  let best: string | null = null;
  let bestDistance = 3;
  for (const word of words) {
    const distance = editDistance(folded, fold(word));
    if (distance < bestDistance && distance < word.length / 2) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}

function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const swap = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      line.push(Math.min(swap, above[column]! + 1, line[column - 1]! + 1));
    }
    above = line;
  }
  return above[b.length]!;
}
