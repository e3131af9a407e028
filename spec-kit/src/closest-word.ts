/** The word a person most likely meant, or null where none is near (two edits, or one third of it). */
export function closestWord(written: string, words: readonly string[]): string | null {
  const folded = fold(written);
  let best: string | null = null;
  let bestDistance = Math.max(2, Math.floor(folded.length / 3)) + 1;
  // No word of ours is near to one of this length, and the distance takes time squared.
  if (folded.length > 40) return null;
  for (const word of words) {
    const distance = editDistance(folded, fold(word));
    // Two of three letters changed is no slip of the pen.
    if (distance < bestDistance && distance < word.length / 2) {
      best = word;
      bestDistance = distance;
    }
  }
  return best;
}

/** `dependsOn`, `depends-on` and `Depends_On` are the same slip. */
function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(change, previous[column]! + 1, current[column - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
